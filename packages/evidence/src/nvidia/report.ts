// Attestation reports of NVIDIA GPUs: an SPDM GET_MEASUREMENTS request and its response (DMTF DSP0274), with NVIDIA's own
// fields in the opaque data. Little-endian.
import { toHex } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { EvidenceError, malformed } from "../errors.ts";

/** Lengths and bounds. */
const REQUEST = 37;
const SIGNATURE = 96;
const MAXIMUM_REPORT = 64 * 1024;
const MAXIMUM_BLOCKS = 255;
const SPDM_VERSION = 0x11;
const GET_MEASUREMENTS = 0xe0;
const MEASUREMENTS = 0x60;
const DMTF = 1;

/** NVIDIA's fields by number. */
export const GPU_FIELD = {
  driverVersion: 3,
  gpuInfo: 4,
  vbiosVersion: 6,
  measurementCount: 12,
  boardId: 14,
  chipSku: 15,
  project: 17,
  projectSku: 18,
  fwid: 20,
} as const;

/** A report, read but not verified. */
export interface GpuReport {
  readonly nonce: Uint8Array;
  /** Digest by index. */
  readonly measurements: ReadonlyMap<number, Uint8Array>;
  readonly fields: ReadonlyMap<number, Uint8Array>;
  /** Request and response up to the signature. */
  readonly signedBytes: Uint8Array;
  /** r||s, P-384. */
  readonly signature: Uint8Array;
}

/** Whether bytes start as such a report does. */
export function isGpuReport(bytes: Uint8Array): boolean {
  return (
    bytes[0] === SPDM_VERSION &&
    bytes[1] === GET_MEASUREMENTS &&
    bytes[REQUEST] === SPDM_VERSION &&
    bytes[REQUEST + 1] === MEASUREMENTS
  );
}

/**
 * Reads a report.
 * @throws EvidenceError EVIDENCE_MALFORMED, EVIDENCE_TOO_LARGE
 */
export function parseGpuReport(input: Uint8Array): GpuReport {
  if (input.length > MAXIMUM_REPORT) {
    throw new EvidenceError("EVIDENCE_TOO_LARGE", `GPU report of ${input.length} bytes`);
  }
  if (!isGpuReport(input))
    throw malformed("GPU report: GET_MEASUREMENTS and its response expected");
  const cursor = new ByteCursor(input, "little", "GPU report");
  cursor.bytes(4, "request");
  const nonce = cursor.bytes(32, "nonce");
  cursor.u8("slot");
  cursor.bytes(4, "response");
  const blocks = cursor.u8("number of blocks");
  const length = cursor.u8("length") | (cursor.u16("length") << 8);
  const measurements = parseBlocks(cursor.bytes(length, "measurement record"), blocks);
  cursor.bytes(32, "responder nonce");
  const fields = parseFields(cursor.bytes(cursor.u16("opaque length"), "opaque data"));
  const signedBytes = input.subarray(0, cursor.at);
  const signature = cursor.bytes(SIGNATURE, "signature");
  // One producer leaves a spare byte.
  cursor.zeros(cursor.left, "what follows the signature");
  return { nonce, measurements, fields, signedBytes, signature };
}

function parseBlocks(record: Uint8Array, count: number): ReadonlyMap<number, Uint8Array> {
  const cursor = new ByteCursor(record, "little", "GPU measurements");
  const measurements = new Map<number, Uint8Array>();
  for (let each = 0; each < Math.min(count, MAXIMUM_BLOCKS); each += 1) {
    const index = cursor.u8("index");
    const specification = cursor.u8("specification");
    const size = cursor.u16("size");
    const block = new ByteCursor(cursor.bytes(size, "block"), "little", "GPU measurement");
    if (specification !== DMTF) throw malformed(`GPU measurement ${index}: not of DMTF form`);
    block.u8("type");
    const value = block.bytes(block.u16("value size"), "value");
    block.end();
    if (measurements.has(index)) throw malformed(`GPU measurement ${index} stands twice`);
    measurements.set(index, value);
  }
  cursor.end();
  return measurements;
}

function parseFields(opaque: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const cursor = new ByteCursor(opaque, "little", "GPU opaque data");
  const fields = new Map<number, Uint8Array>();
  while (cursor.left > 0) {
    const type = cursor.u16("field type");
    const value = cursor.bytes(cursor.u16("field length"), "field");
    if (fields.has(type)) throw malformed(`GPU field ${type} stands twice`);
    fields.set(type, value);
  }
  return fields;
}

/** A version of the video BIOS as people write it: `96.00.9f.00.01`. */
export function vbiosText(value: Uint8Array): string {
  const order = [3, 2, 1, 0, 4];
  return order.map((at) => toHex(value.subarray(at, at + 1))).join(".");
}

/** A text field, without the NUL that ends it. */
export function fieldText(value: Uint8Array): string {
  const end = value.indexOf(0);
  const text = end < 0 ? value : value.subarray(0, end);
  return String.fromCharCode(...text).replace(/[^\x20-\x7e]/g, "?");
}
