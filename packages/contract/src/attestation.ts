// Words of the attestation service. Byte strings are base64 with padding, digests lower-case hexadecimal, times RFC 3339.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };
const DIGEST = { pattern: "^[0-9a-f]{64}$" };

/** The longest evidence and request taken, in characters of base64. */
export const MAXIMUM_EVIDENCE_TEXT = 22_000;
export const MAXIMUM_CSR_TEXT = 11_000;

/** A challenge: evidence must carry its nonce, once, before it expires. */
export const AttestationChallenge = Type.Object({
  challenge_id: Type.String(),
  /** 32 bytes. */
  nonce: Type.String(),
  expires_at: Type.String(),
});

/** Evidence over a challenge, and the request for a certificate that it is bound to. */
export const CertificateBody = Type.Object(
  {
    challenge_id: Type.String({ minLength: 1, maxLength: 64 }),
    evidence: Type.String({ minLength: 1, maxLength: MAXIMUM_EVIDENCE_TEXT }),
    csr: Type.String({ minLength: 1, maxLength: MAXIMUM_CSR_TEXT }),
    /** The authority that the keep's policy names; without it the one in use issues. */
    authority_sha256: Type.Optional(Type.String(DIGEST)),
  },
  CLOSED,
);

/** A certificate, and what was proven for it. */
export const IssuedCertificate = Type.Object({
  /** Leaf, then the authority. */
  chain_pem: Type.String(),
  platform: Type.String(),
  simulated: Type.Boolean(),
  measurement: Type.String(DIGEST),
  policy_hash: Type.String(DIGEST),
  not_after: Type.String(),
});

/** Who issues, and which roots of evidence are accepted. */
export const AttestationAuthority = Type.Object({
  certificate_pem: Type.String(),
  /** Older authorities that still renew for the keeps whose policies name them. */
  previous: Type.Optional(Type.Array(Type.String())),
  accepts: Type.Array(
    Type.Object({
      platform: Type.String(),
      simulated: Type.Boolean(),
      root_sha256: Type.String(DIGEST),
    }),
  ),
});

/** A public key that signs attestation results (RFC 7517), with its certificates. */
export const Jwk = Type.Object({
  kty: Type.Literal("EC"),
  crv: Type.Literal("P-256"),
  x: Type.String(),
  y: Type.String(),
  use: Type.Literal("sig"),
  alg: Type.Literal("ES256"),
  kid: Type.String(),
  /** Base64, the key's own certificate first. */
  x5c: Type.Array(Type.String()),
});

/** The keys that sign attestation results. */
export const JwkSet = Type.Object({ keys: Type.Array(Jwk) });

/** Whether a service works. */
export const Health = Type.Object({ status: Type.String() });

export type AttestationChallenge = Static<typeof AttestationChallenge>;
export type CertificateBody = Static<typeof CertificateBody>;
export type IssuedCertificate = Static<typeof IssuedCertificate>;
export type AttestationAuthority = Static<typeof AttestationAuthority>;
export type Jwk = Static<typeof Jwk>;
export type JwkSet = Static<typeof JwkSet>;
export type Health = Static<typeof Health>;
