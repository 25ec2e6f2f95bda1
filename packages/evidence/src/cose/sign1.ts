// COSE_Sign1 (RFC 9052 section 4.2), tagged 18 or not. The algorithm is taken from the protected header alone.
import type { CryptoPort, DigestName, PublicKeyKind, SignatureScheme } from "@holdfast/core";
import { type CborLimits, type CborMap, cborFault, readCbor } from "../cbor/read.ts";
import { cborArray, cborBytes, cborEntry, cborInteger, cborMap } from "../cbor/values.ts";
import * as cbor from "../cbor/write.ts";

/** A COSE_Sign1 message, read but not verified. */
export interface Sign1 {
  /** The protected header as signed. */
  readonly protectedBytes: Uint8Array;
  readonly protectedHeader: CborMap;
  readonly unprotectedHeader: CborMap;
  /** COSE algorithm number of the protected header. */
  readonly algorithm: number;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** COSE algorithm numbers of ECDSA (RFC 9053 section 2.1). */
export const COSE_ALGORITHM = { es256: -7, es384: -35, es512: -36 } as const;

const SIGN1_TAG = 18n;
const ALGORITHM_LABEL = 1;
const MAXIMUM_HEADER = 1024;
const SCHEMES: ReadonlyMap<number, SignatureScheme & { kind: "ecdsa" }> = new Map([
  [COSE_ALGORITHM.es256, ecdsa("P-256", "SHA-256")],
  [COSE_ALGORITHM.es384, ecdsa("P-384", "SHA-384")],
  [COSE_ALGORITHM.es512, ecdsa("P-521", "SHA-512")],
]);

/**
 * Reads a message with its payload inside.
 * @throws EncodingError ENCODING_CBOR
 */
export function parseSign1(input: Uint8Array, limits: CborLimits = {}): Sign1 {
  const whole = readCbor(input, limits);
  const node = whole.kind === "tag" && whole.tag === SIGN1_TAG ? whole.item : whole;
  const [first, second, third, fourth] = cborArray(node, "COSE_Sign1", { least: 4, most: 4 });
  if (!first || !second || !third || !fourth) throw cborFault("COSE_Sign1: four members expected");
  const protectedBytes = cborBytes(first, "protected header", { least: 1, most: MAXIMUM_HEADER });
  const protectedHeader = cborMap(readCbor(protectedBytes), "protected header");
  const algorithm = cborEntry(protectedHeader, ALGORITHM_LABEL);
  if (algorithm === undefined) throw cborFault("protected header: algorithm is missing");
  return {
    protectedBytes,
    protectedHeader,
    unprotectedHeader: cborMap(second, "unprotected header"),
    algorithm: cborInteger(algorithm, "algorithm"),
    payload: cborBytes(third, "payload", { least: 1, most: input.length }),
    signature: cborBytes(fourth, "signature", { least: 1, most: 1024 }),
  };
}

/** Whether the signature holds; an algorithm that does not fit the key is `false`. */
export async function isSign1By(
  message: Sign1,
  spki: Uint8Array,
  key: PublicKeyKind,
  crypto: CryptoPort,
): Promise<boolean> {
  const scheme = SCHEMES.get(message.algorithm);
  if (scheme === undefined || key.kind !== "ec" || key.curve !== scheme.curve) return false;
  return await crypto.verify(scheme, spki, message.signature, signedBytes(message));
}

/** The Sig_structure: what a signature is over, without external data (RFC 9052 section 4.4). */
export function signedBytes(
  message: Pick<Sign1, "protectedBytes" | "payload">,
): Uint8Array<ArrayBuffer> {
  return cbor.array(
    cbor.text("Signature1"),
    cbor.bytes(message.protectedBytes),
    cbor.bytes(new Uint8Array()),
    cbor.bytes(message.payload),
  );
}

/** Bytes of an untagged message with an empty unprotected header. */
export function encodeSign1(
  message: Pick<Sign1, "protectedBytes" | "payload" | "signature">,
): Uint8Array<ArrayBuffer> {
  return cbor.array(
    cbor.bytes(message.protectedBytes),
    cbor.map(),
    cbor.bytes(message.payload),
    cbor.bytes(message.signature),
  );
}

function ecdsa(curve: "P-256" | "P-384" | "P-521", hash: DigestName) {
  return { kind: "ecdsa", curve, hash } as const;
}
