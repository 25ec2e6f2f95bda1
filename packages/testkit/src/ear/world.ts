// Attestation results of a verifier of our own, as JSON Web Tokens, changed exactly as told.
import { type KeyObject, sign } from "node:crypto";
import { fromText, toBase64Url, webCrypto } from "@holdfast/core";
import { type JudgeRequest, keyOfSpki, NO_ENDORSEMENTS } from "@holdfast/evidence";
import { newKeys } from "../pki/party.ts";

/** What to change of a token; everything else, signature included, is right. */
export interface EarChanges {
  readonly header?: object;
  readonly payload?: object;
  readonly submodule?: object;
  readonly signer?: KeyObject;
  readonly after?: (token: string) => string;
}

export const EAR_TIME: Date = new Date("2026-01-15T10:00:00Z");
export const EAR_NONCE: Uint8Array = new Uint8Array(32).fill(9);
/** The verifier that is enrolled. */
export const EAR_KEYS: ReturnType<typeof newKeys> = newKeys("p256");
const NOW = EAR_TIME.getTime() / 1000;

/** A token, with the request under which it is affirmed when nothing is changed. */
export function newEarToken(changes: EarChanges = {}): {
  evidence: Uint8Array;
  request: JudgeRequest & { readonly nonce: Uint8Array };
} {
  const request = {
    at: EAR_TIME,
    crypto: webCrypto,
    endorsements: { ...NO_ENDORSEMENTS, keys: [enrolledKey(EAR_KEYS.publicKey, "v1")] },
    nonce: EAR_NONCE,
  };
  return { evidence: encodeToken(changes), request };
}

/** A key under the name that it is enrolled by. */
export function enrolledKey(
  key: KeyObject,
  name: string,
): ReturnType<typeof keyOfSpki> & { readonly name: string } {
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  return { ...keyOfSpki(spki), name };
}

function encodeToken({ header, payload, submodule, signer, after }: EarChanges): Uint8Array {
  const claims = {
    eat_profile: "tag:ietf.org,2026:rats/ear#05",
    iss: "verifier.example",
    iat: NOW - 10,
    exp: NOW + 300,
    eat_nonce: toBase64Url(EAR_NONCE),
    ear_verifier_id: { developer: "https://verifier.example", build: "1" },
    submods: {
      cpu0: {
        ear_status: 2,
        ear_trustworthiness_vector: { hardware: 2, executables: 2, "file-system": 0 },
        ...submodule,
      },
    },
    ...payload,
  };
  const part = (value: object): string => toBase64Url(fromText(JSON.stringify(value)));
  const signedText = `${part({ alg: "ES256", kid: "v1", ...header })}.${part(claims)}`;
  const key = { key: signer ?? EAR_KEYS.privateKey, dsaEncoding: "ieee-p1363" } as const;
  const token = `${signedText}.${toBase64Url(sign("sha256", fromText(signedText), key))}`;
  return fromText(after?.(token) ?? token);
}
