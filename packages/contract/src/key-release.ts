// Words of the attestation service's key broker: keys that data owners leave with it, the terms under which a keep gets one,
// and a keep's request. Byte strings are base64 with padding, digests lower-case hexadecimal, times RFC 3339.
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { MAXIMUM_EVIDENCE_TEXT } from "./attestation.ts";

const CLOSED = { additionalProperties: false };
const Digest = Type.String({ pattern: "^[0-9a-f]{64}$" });
const BASE64URL = "[A-Za-z0-9_-]";

/** The longest body with a keep's request in it, in bytes; policies make most of it. */
export const MAXIMUM_RELEASE_BODY: number = 1024 * 1024;

/** The name of a key, in its path and in policies. */
export const KeyName = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,127}$" });

/** Who may have a key. What is absent is not asked for, but one of programs and policies must be there. */
export const KeyGrant = Type.Object(
  {
    /** Of the keep: 64 digits as policies and certificates have it, or 96, the whole PCR0. */
    measurements: Type.Array(Type.String({ pattern: "^([0-9a-f]{64}|[0-9a-f]{96})$" }), {
      minItems: 1,
      maxItems: 64,
    }),
    /** SHA-256 of WebAssembly modules: every program of the keep's policy is one of them. */
    programs: Type.Optional(Type.Array(Digest, { minItems: 1, maxItems: 256 })),
    /** Hashes of full policies: the keep's is one of them. */
    policies: Type.Optional(Type.Array(Digest, { minItems: 1, maxItems: 256 })),
    /** SHA-256 of certificates, DER: whoever may read anything in the keep is one of them. Empty: nobody may. */
    readers: Type.Optional(Type.Array(Digest, { maxItems: 256 })),
    /** Whether a platform will do that nothing but software stands behind; not when absent. */
    simulated: Type.Optional(Type.Boolean()),
    /** Afterwards nobody gets the key. */
    not_after: Type.Optional(
      Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$" }),
    ),
  },
  CLOSED,
);

/** Whether a value is a grant, in the words of this contract. */
export function isKeyGrant(value: unknown): value is KeyGrant {
  return Value.Check(KeyGrant, value);
}

/** A key to keep, with the terms of its release. */
export const KeyBody = Type.Object(
  {
    /** 32 bytes, without spare bits. */
    key: Type.String({ pattern: "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$" }),
    grant: KeyGrant,
  },
  CLOSED,
);

/** What is told of a key: never the key. */
export const KeyResource = Type.Object({
  name: KeyName,
  grant: KeyGrant,
  created_at: Type.String(),
  /** How many times it was released. */
  released: Type.Integer({ minimum: 0 }),
  last_released_at: Type.Optional(Type.String()),
});

/** All keys, by name. */
export const KeyList = Type.Object({ keys: Type.Array(KeyResource) });

/** Evidence over a challenge, and the request for a key that it is bound to. */
export const KeyReleaseBody = Type.Object(
  {
    challenge_id: Type.String({ minLength: 1, maxLength: 64 }),
    evidence: Type.String({ minLength: 1, maxLength: MAXIMUM_EVIDENCE_TEXT }),
    request: Type.String({ minLength: 1, maxLength: MAXIMUM_RELEASE_BODY }),
  },
  CLOSED,
);

/** A key for one keep: flattened JSON Web Encryption (RFC 7516), ECDH-ES+A256KW and A256GCM, of the key's 32 bytes. */
export const ReleasedKey = Type.Object({
  jwe: Type.Object(
    {
      protected: Type.String({ pattern: `^${BASE64URL}{1,1024}$` }),
      encrypted_key: Type.String({ pattern: `^${BASE64URL}{54}$` }),
      iv: Type.String({ pattern: `^${BASE64URL}{16}$` }),
      ciphertext: Type.String({ pattern: `^${BASE64URL}{43}$` }),
      tag: Type.String({ pattern: `^${BASE64URL}{22}$` }),
    },
    CLOSED,
  ),
});

export type KeyGrant = Static<typeof KeyGrant>;
export type KeyBody = Static<typeof KeyBody>;
export type KeyResource = Static<typeof KeyResource>;
export type KeyList = Static<typeof KeyList>;
export type KeyReleaseBody = Static<typeof KeyReleaseBody>;
export type ReleasedKey = Static<typeof ReleasedKey>;
