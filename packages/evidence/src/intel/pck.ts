// Certificates of Intel's provisioning hierarchy: PCK leaf with its SGX extension, processor and platform authorities,
// and the pinned root (Intel SGX PCK certificate and CRL profile specification).
import {
  type Certificate,
  DerCursor,
  type DerNode,
  derChildren,
  derOid,
  derUnsigned,
  EncodingError,
  expectTag,
  fromBase64,
  nameAttribute,
  parseCertificate,
  readDer,
  sameBytes,
  TAG,
} from "@holdfast/core";
import { malformed } from "../errors.ts";

/** The extension that says which platform a PCK belongs to. */
export const SGX_EXTENSION = "1.2.840.113741.1.13.1";
const COMPONENTS = 16;

/** What the extension says. */
export interface PckExtension {
  readonly ppid: Uint8Array;
  /** Security version of each of the 16 components. */
  readonly components: readonly number[];
  readonly pceSvn: number;
  readonly cpuSvn: Uint8Array;
  readonly pceId: Uint8Array;
  readonly fmspc: Uint8Array;
  readonly sgxType: number;
  /** Of multi-package platforms. */
  readonly platformInstanceId?: Uint8Array;
}

/** Which authority issued a PCK. */
export type PckAuthority = "processor" | "platform";

/**
 * Reads the extension of a PCK certificate.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parsePckExtension({ extensions, subject }: Certificate): PckExtension {
  const extension = extensions.get(SGX_EXTENSION);
  if (extension === undefined) throw malformed(`${subject.text}: no SGX extension`);
  try {
    const members = byOid(readDer(extension.value));
    const tcb = byOid(required(members, `${SGX_EXTENSION}.2`));
    const component = (index: number): number =>
      small(required(tcb, `${SGX_EXTENSION}.2.${index}`), 255);
    const instance = members.get(`${SGX_EXTENSION}.6`);
    return {
      ppid: octets(required(members, `${SGX_EXTENSION}.1`), 16),
      components: Array.from({ length: COMPONENTS }, (_, index) => component(index + 1)),
      pceSvn: small(required(tcb, `${SGX_EXTENSION}.2.17`), 65_535),
      cpuSvn: octets(required(tcb, `${SGX_EXTENSION}.2.18`), 16),
      pceId: octets(required(members, `${SGX_EXTENSION}.3`), 2),
      fmspc: octets(required(members, `${SGX_EXTENSION}.4`), 6),
      sgxType: small(required(members, `${SGX_EXTENSION}.5`), 255),
      ...(instance === undefined ? {} : { platformInstanceId: octets(instance, 16) }),
    };
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause;
    throw malformed(`SGX extension of ${subject.text}: ${cause.message}`, cause);
  }
}

/** Whether a certificate is a PCK by its name. */
export function isPck({ subject }: Certificate): boolean {
  return nameAttribute(subject, "CN")?.includes("SGX PCK Certificate") ?? false;
}

/** Whether a certificate signs TCB information by its name. */
export function isTcbSigner({ subject }: Certificate): boolean {
  return nameAttribute(subject, "CN") === "Intel SGX TCB Signing";
}

/** Which authority a certificate is, by its name. */
export function pckAuthority({ subject }: Certificate): PckAuthority | undefined {
  const name = nameAttribute(subject, "CN") ?? "";
  if (name.includes("SGX PCK Processor CA")) return "processor";
  return name.includes("SGX PCK Platform CA") ? "platform" : undefined;
}

/** Intel's root of SGX and TDX, pinned: P-256, valid from 2018-05-21 to 2049-12-31. */
export function intelRoot(): Certificate {
  root ??= parseCertificate(fromBase64(INTEL_ROOT));
  return root;
}

/** Whether a root is Intel's own. */
export function isIntelRoot(anchor: Certificate | undefined): boolean {
  return anchor !== undefined && sameBytes(anchor.der, intelRoot().der);
}

let root: Certificate | undefined;
const INTEL_ROOT =
  "MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIwaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYTAlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOBuzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJMEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SVUr9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYIKoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwgAiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=";

/** Members of a sequence of (OID, value) pairs, each OID once. */
function byOid(node: DerNode): ReadonlyMap<string, DerNode> {
  expectTag(node, TAG.sequence, "SGX extension");
  const members = new Map<string, DerNode>();
  for (const child of derChildren(node)) {
    const cursor = new DerCursor(child, "SGX extension member");
    const type = derOid(cursor.next("OID"), "SGX extension member");
    const value = cursor.next("value");
    cursor.end();
    if (members.has(type)) throw new EncodingError("ENCODING_DER", `${type} stands twice`);
    members.set(type, value);
  }
  return members;
}

function required(members: ReadonlyMap<string, DerNode>, type: string): DerNode {
  const node = members.get(type);
  if (node === undefined) throw new EncodingError("ENCODING_DER", `${type} is missing`);
  return node;
}

function octets(node: DerNode, length: number): Uint8Array {
  expectTag(node, TAG.octetString, "SGX extension member");
  if (node.content.length !== length) {
    throw new EncodingError("ENCODING_DER", `${node.content.length} bytes, ${length} expected`);
  }
  return node.content;
}

function small(node: DerNode, maximum: number): number {
  const value = derUnsigned(node, "SGX extension member");
  if (value > maximum) throw new EncodingError("ENCODING_DER", `${value} is over ${maximum}`);
  return value;
}
