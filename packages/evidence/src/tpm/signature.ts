// Signatures of TPM 2.0 (TPM 2.0 library part 2, TPMT_SIGNATURE), and bare RSASSA signatures as some tools write them.
import { concat, type DigestName, type PublicKeyKind, type SignatureScheme } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";
import { DIGEST_LENGTH, TPM_ALGORITHM, tpmHash } from "./algorithms.ts";
import { sized } from "./attest.ts";

/** A signature, read. */
export type TpmSignature =
  | {
      readonly kind: "rsa";
      readonly pss: boolean;
      readonly hash: DigestName;
      readonly value: Uint8Array;
    }
  | {
      readonly kind: "ecdsa";
      readonly hash: DigestName;
      readonly r: Uint8Array;
      readonly s: Uint8Array;
    };

const COORDINATE = { "P-256": 32, "P-384": 48, "P-521": 66 } as const;
const MAXIMUM = 1024;

/**
 * Reads a signature structure.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseTpmSignature(input: Uint8Array): TpmSignature {
  if (input.length > MAXIMUM) throw malformed(`TPM signature of ${input.length} bytes`);
  const cursor = new ByteCursor(input, "big", "TPM signature");
  const algorithm = cursor.u16("algorithm");
  const hash = tpmHash(cursor.u16("hash"), "TPM signature");
  const signature = parseValue(cursor, algorithm, hash);
  cursor.end();
  return signature;
}

/** A bare RSASSA signature with SHA-256, as the evidence of Azure carries it. */
export function bareRsaSignature(value: Uint8Array): TpmSignature {
  if (value.length > MAXIMUM) throw malformed(`TPM signature of ${value.length} bytes`);
  return { kind: "rsa", pss: false, hash: "SHA-256", value };
}

/** A way to verify a signature. */
export interface TpmScheme {
  readonly scheme: SignatureScheme;
  readonly value: Uint8Array;
}

/**
 * The ways to verify a signature under a key; none when the two don't go together. SHA-1 never does. RSAPSS has two: TPMs
 * take as much salt as fits, those of newer revisions as much as the hash is long.
 */
export function schemesOf(signature: TpmSignature, key: PublicKeyKind): readonly TpmScheme[] {
  const { hash } = signature;
  if (hash === "SHA-1") return [];
  if (signature.kind === "rsa") {
    if (key.kind !== "rsa") return [];
    const { value } = signature;
    if (!signature.pss) return [{ scheme: { kind: "rsa-pkcs1", hash }, value }];
    const length = DIGEST_LENGTH[hash];
    const longest = value.length - length - 2;
    const salts = [length, ...(longest > length ? [longest] : [])];
    return salts.map((saltLength) => ({ scheme: { kind: "rsa-pss", hash, saltLength }, value }));
  }
  if (key.kind !== "ec") return [];
  const length = COORDINATE[key.curve];
  const [r, s] = [signature.r, signature.s].map((half) => padded(half, length));
  if (r === undefined || s === undefined) return [];
  return [{ scheme: { kind: "ecdsa", curve: key.curve, hash }, value: concat(r, s) }];
}

function parseValue(cursor: ByteCursor, algorithm: number, hash: DigestName): TpmSignature {
  if (algorithm === TPM_ALGORITHM.rsassa || algorithm === TPM_ALGORITHM.rsapss) {
    const pss = algorithm === TPM_ALGORITHM.rsapss;
    return { kind: "rsa", pss, hash, value: sized(cursor, "signature") };
  }
  if (algorithm !== TPM_ALGORITHM.ecdsa) {
    throw malformed(`TPM signature: algorithm ${algorithm.toString(16)}h`);
  }
  return { kind: "ecdsa", hash, r: sized(cursor, "r"), s: sized(cursor, "s") };
}

/** Halves may be shorter than the curve's coordinates. */
function padded(half: Uint8Array, length: number): Uint8Array | undefined {
  if (half.length > length) return undefined;
  return concat(new Uint8Array(length - half.length), half);
}
