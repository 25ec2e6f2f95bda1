// How many signatures a verification checks, cold and warm, and what share of its time they are: what is left over is ours to
// shave, what they cost is OpenSSL's.
import { constants, generateKeyPairSync, sign } from "node:crypto";
import { createNodeCrypto } from "../../packages/channel/src/index.ts";
import {
  type CryptoPort,
  rememberingCrypto,
  type SignatureScheme,
  webCrypto,
} from "../../packages/core/src/index.ts";
import { verifyEvidence } from "../../packages/evidence/src/index.ts";
import { measureInTurns, type Subject } from "./measure.ts";
import { type Platform, requestOf } from "./samples.ts";

/** Signatures by kind. */
export type Counts = Readonly<Record<string, number>>;

const KINDS = ["P-384", "P-256", "RSA-4096"] as const;

/** Signatures that a new verifier checks for a piece of evidence, and one that has seen its platform. */
export async function countSignatures(platform: Platform): Promise<{ cold: Counts; warm: Counts }> {
  const counts = new Map<string, number>();
  const counting: CryptoPort = {
    digest: (name, data) => webCrypto.digest(name, data),
    verify(scheme, ...rest) {
      counts.set(kindOf(scheme), (counts.get(kindOf(scheme)) ?? 0) + 1);
      return webCrypto.verify(scheme, ...rest);
    },
  };
  const request = requestOf(platform, rememberingCrypto(counting));
  const of = async (index: number): Promise<Counts> => {
    counts.clear();
    await verifyEvidence(platform.evidence[index] ?? new Uint8Array(), request);
    return Object.fromEntries(counts);
  };
  return { cold: await of(0), warm: await of(1) };
}

/** Milliseconds of processor time of one signature of each kind. */
export async function signatureCosts(effort: { rounds: number; runs: number }): Promise<Counts> {
  const measured = await measureInTurns(KINDS.map(signatureOf), effort);
  return Object.fromEntries(measured.map(({ name, cpu }) => [name, cpu]));
}

function kindOf(scheme: SignatureScheme): string {
  if (scheme.kind === "ecdsa") return scheme.curve;
  return scheme.kind === "ed25519" ? "Ed25519" : "RSA-4096";
}

function signatureOf(kind: (typeof KINDS)[number]): Subject {
  const crypto = createNodeCrypto({ remembered: 0 });
  const data = new Uint8Array(672);
  const { publicKey, privateKey, scheme, options } = keysOf(kind);
  const hash = scheme.hash.replace("-", "").toLowerCase();
  const signature = new Uint8Array(sign(hash, data, { key: privateKey, ...options }));
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  return {
    name: kind,
    async run() {
      if (!(await crypto.verify(scheme, spki, signature, data)))
        throw new Error("it does not hold");
    },
  };
}

function keysOf(kind: (typeof KINDS)[number]) {
  if (kind === "RSA-4096") {
    return {
      ...generateKeyPairSync("rsa", { modulusLength: 4096 }),
      scheme: { kind: "rsa-pss", hash: "SHA-384", saltLength: 48 },
      options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 },
    } as const;
  }
  const hash = kind === "P-384" ? "SHA-384" : "SHA-256";
  return {
    ...generateKeyPairSync("ec", { namedCurve: kind }),
    scheme: { kind: "ecdsa", curve: kind, hash },
    options: { dsaEncoding: "ieee-p1363" },
  } as const;
}
