// The verifier's side of enrolling an attestation key (TPM 2.0 library part 1, credential protection): a secret that only
// the TPM with the certified endorsement key can open, and only for an attestation key of the given name in it. Whoever
// returns the secret has both keys in one TPM.
import {
  constants,
  createCipheriv,
  createHmac,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { concat, fromText, parsePublicKey, readDer } from "@holdfast/core";
import { AttesterError } from "../errors.ts";

/** What the TPM is given; `file` is both as tpm2_activatecredential reads them. */
export interface TpmCredential {
  /** TPM2B_ID_OBJECT. */
  readonly blob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
  readonly file: Uint8Array;
}

const SEED = 32;
const KEY_BITS = 128;
const MAXIMUM_CREDENTIAL = 32;
/** How tpm2-tools marks such files, and the version of their form. */
const FILE_HEAD = Uint8Array.of(0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1);

/**
 * Makes a credential for an RSA endorsement key of the usual template (SHA-256, AES-128 in CFB mode).
 * @param ekSpki the endorsement key, DER SubjectPublicKeyInfo, out of its verified certificate
 * @param akName name of the attestation key: its hash algorithm and the hash of its public area
 * @param credential 1 to 32 bytes, random, that the TPM must give back
 * @throws AttesterError ATTESTER_INPUT
 */
export function makeCredential(
  ekSpki: Uint8Array,
  akName: Uint8Array,
  credential: Uint8Array,
): TpmCredential {
  if (credential.length === 0 || credential.length > MAXIMUM_CREDENTIAL) {
    throw input(`credential of ${credential.length} bytes, 1 to ${MAXIMUM_CREDENTIAL} expected`);
  }
  if (akName.length !== 34 || akName[0] !== 0 || akName[1] !== 0x0b) {
    throw input("name of a key under SHA-256 expected");
  }
  if (parsePublicKey(readDer(ekSpki)).kind !== "rsa") throw input("RSA endorsement key expected");
  const seed = randomBytes(SEED);
  const key = createPublicKey({ key: Buffer.from(ekSpki), format: "der", type: "spki" });
  const encrypted = publicEncrypt(
    {
      key,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: "sha256",
      oaepLabel: fromText("IDENTITY\0"),
    },
    seed,
  );
  const cipher = createCipheriv(
    "aes-128-cfb",
    derive(seed, "STORAGE", akName, KEY_BITS),
    new Uint8Array(16),
  );
  const identity = concat(cipher.update(sized(credential)), cipher.final());
  const integrity = createHmac("sha256", derive(seed, "INTEGRITY", new Uint8Array(), 256))
    .update(identity)
    .update(akName)
    .digest();
  const blob = sized(concat(sized(integrity), identity));
  const secret = sized(encrypted);
  return { blob, secret, file: concat(FILE_HEAD, blob, secret) };
}

/** KDFa with SHA-256 (TPM 2.0 library part 1, 11.4.10.2); one block is enough. */
function derive(key: Uint8Array, label: string, context: Uint8Array, bits: number): Uint8Array {
  const block = createHmac("sha256", key)
    .update(Uint8Array.of(0, 0, 0, 1))
    .update(fromText(`${label}\0`))
    .update(context)
    .update(Uint8Array.of(0, 0, bits >> 8, bits & 255))
    .digest();
  return new Uint8Array(block.subarray(0, bits / 8));
}

function sized(bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes);
}

function input(message: string): AttesterError {
  return new AttesterError("ATTESTER_INPUT", message);
}
