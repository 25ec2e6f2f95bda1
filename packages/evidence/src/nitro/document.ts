// The attestation document of the Nitro Security Module: a COSE_Sign1 message over a map whose fields, types and bounds
// are those of the NSM API. Sparse PCR indices are legal, absent optional fields equal null, unknown fields are refused.
import { type Certificate, EncodingError, HoldfastError, parseCertificate } from "@holdfast/core";
import { type CborMap, type CborNode, cborFault, readCbor } from "../cbor/read.ts";
import {
  cborArray,
  cborBytes,
  cborEntry,
  cborMap,
  cborRequired,
  cborText,
  cborUnsigned,
} from "../cbor/values.ts";
import { parseSign1, type Sign1 } from "../cose/sign1.ts";
import { EvidenceError, malformed } from "../errors.ts";

/** The longest document read, in bytes. */
export const MAXIMUM_NITRO_DOCUMENT = 16 * 1024;
/** The longest nonce and user data that the module takes. */
export const MAXIMUM_NITRO_DATA = 512;

/** A document, read but not verified. */
export interface NitroDocument {
  readonly message: Sign1;
  readonly moduleId: string;
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly leaf: Certificate;
  /** As in the document: root first. */
  readonly bundle: readonly Certificate[];
  readonly publicKey: Uint8Array | undefined;
  readonly userData: Uint8Array | undefined;
  readonly nonce: Uint8Array | undefined;
}

const FIELDS: ReadonlySet<string> = new Set([
  "module_id",
  "digest",
  "timestamp",
  "pcrs",
  "certificate",
  "cabundle",
  "public_key",
  "user_data",
  "nonce",
]);
const CERTIFICATE_LENGTH = { least: 1, most: 1024 };
const MAXIMUM_PCR = 31;
const DIGEST_LENGTHS: ReadonlySet<number> = new Set([32, 48, 64]);

/**
 * Reads a document.
 * @throws EvidenceError EVIDENCE_MALFORMED, EVIDENCE_TOO_LARGE
 */
export function parseNitroDocument(input: Uint8Array): NitroDocument {
  if (input.length > MAXIMUM_NITRO_DOCUMENT) {
    throw new EvidenceError(
      "EVIDENCE_TOO_LARGE",
      `Nitro document of ${input.length} bytes, at most ${MAXIMUM_NITRO_DOCUMENT} expected`,
    );
  }
  try {
    const message = parseSign1(input);
    return { message, ...parsePayload(cborMap(readCbor(message.payload), "payload")) };
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed(`Nitro document can't be read: ${cause.message}`, cause);
  }
}

function parsePayload(payload: CborMap): Omit<NitroDocument, "message"> {
  for (const [key] of payload.entries) {
    if (key.kind !== "text" || !FIELDS.has(key.value)) throw cborFault("payload: unknown field");
  }
  const required = (name: string): CborNode => cborRequired(payload, name, "payload");
  const optional = (name: string, least: number, most: number): Uint8Array | undefined => {
    const node = cborEntry(payload, name);
    if (node === undefined || (node.kind === "simple" && node.value === null)) return undefined;
    return cborBytes(node, name, { least, most });
  };
  return {
    moduleId: cborText(required("module_id"), "module_id", { least: 1, most: 256 }),
    digest: cborText(required("digest"), "digest", { least: 1, most: 16 }),
    timestamp: cborUnsigned(required("timestamp"), "timestamp"),
    pcrs: parsePcrs(cborMap(required("pcrs"), "pcrs")),
    leaf: parseEmbedded(required("certificate"), "certificate"),
    bundle: cborArray(required("cabundle"), "cabundle", { least: 1, most: 10 }).map((node, index) =>
      parseEmbedded(node, `cabundle[${index}]`),
    ),
    publicKey: optional("public_key", 1, 1024),
    userData: optional("user_data", 0, MAXIMUM_NITRO_DATA),
    nonce: optional("nonce", 0, MAXIMUM_NITRO_DATA),
  };
}

function parsePcrs({ entries }: CborMap): ReadonlyMap<number, Uint8Array> {
  if (entries.length === 0 || entries.length > MAXIMUM_PCR + 1) {
    throw cborFault(`pcrs: ${entries.length} entries, 1 to ${MAXIMUM_PCR + 1} expected`);
  }
  return new Map(
    entries.map(([key, node]) => {
      const index = cborUnsigned(key, "pcrs index");
      if (index > MAXIMUM_PCR) throw cborFault(`pcrs: index ${index}, at most ${MAXIMUM_PCR}`);
      const value = cborBytes(node, `pcrs[${index}]`, { least: 32, most: 64 });
      if (!DIGEST_LENGTHS.has(value.length)) {
        throw cborFault(`pcrs[${index}]: length ${value.length}, 32, 48 or 64 expected`);
      }
      return [index, value];
    }),
  );
}

function parseEmbedded(node: CborNode, where: string): Certificate {
  const der = cborBytes(node, where, CERTIFICATE_LENGTH);
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new EncodingError("ENCODING_CBOR", `${where}: ${cause.message}`, { cause });
  }
}
