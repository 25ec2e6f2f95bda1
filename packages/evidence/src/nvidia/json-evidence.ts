// GPU evidence in JSON, as NVIDIA's tools and Confidential Containers hand it on: a report and its certificates as base64 text
// for each device. One device is judged at a time: a verdict is about one.
import { type Certificate, fromBase64, fromPem, parseCertificate, toText } from "@holdfast/core";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject } from "../json/members.ts";
import type { Recognised } from "../recognise.ts";
import { isGpuReport } from "./report.ts";

/** Report and certificates of a device. */
export interface GpuEvidence {
  readonly report: Uint8Array;
  readonly certificates: readonly Certificate[];
}

/** What a list of devices is called. */
export const DEVICE_LIST = "device_evidence_list";
const MAXIMUM_TEXT = 128 * 1024;
const MAXIMUM_CERTIFICATES = 16;
/** Base64 of how every report starts. */
const START = "EeAB";

/** Whether a JSON object is evidence of devices. */
export function isGpuJson(object: JsonObject): boolean {
  const [first] = devicesOf(object);
  const { evidence } = typeof first === "object" && first !== null ? (first as JsonObject) : {};
  return typeof evidence === "string" && evidence.startsWith(START);
}

/**
 * Reads evidence of one device.
 * @throws EvidenceError EVIDENCE_MALFORMED, EncodingError, CertificateError
 */
export function readGpuEvidence(recognised: Recognised): GpuEvidence {
  if (recognised.form === "binary") return { report: recognised.bytes, certificates: [] };
  const devices = devicesOf(recognised.object);
  if (devices.length !== 1) throw malformed(`evidence of ${devices.length} devices: judge each`);
  const device = asObject(devices[0], DEVICE_LIST);
  const report = base64Of(device, "evidence");
  if (!isGpuReport(report)) throw malformed("evidence: a GPU report is expected");
  if (device["certificate"] === undefined) return { report, certificates: [] };
  const ders = fromPem("CERTIFICATE", toText(base64Of(device, "certificate")));
  if (ders.length > MAXIMUM_CERTIFICATES) throw malformed("certificate: too many of them");
  return { report, certificates: ders.map((der) => parseCertificate(der)) };
}

/** A device, or a list of them under its name. */
function devicesOf(object: JsonObject): readonly unknown[] {
  const list = object[DEVICE_LIST];
  return Array.isArray(list) ? list : [object];
}

function base64Of(object: JsonObject, name: string): Uint8Array {
  const text = object[name];
  if (typeof text !== "string" || text.length > MAXIMUM_TEXT) {
    throw malformed(`${name}: text expected`);
  }
  return fromBase64(text);
}
