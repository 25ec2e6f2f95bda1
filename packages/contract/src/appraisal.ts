// Words of the attestation service for relying parties and administrators: appraisals, reference values, authorities.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };
const NAME = { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" };
const BASE64 = { minLength: 1, maxLength: 2048 };
/** Accepted values by claim; a dot leads into a member: `nonZeroPcrs.0`. */
const ClaimValues = Type.Record(
  Type.String({ minLength: 1, maxLength: 128 }),
  Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), { minItems: 1, maxItems: 256 }),
  { minProperties: 1, maxProperties: 32 },
);

/** Something a vendor says about its platform: a certificate, a revocation list, TCB information. Not trusted as such. */
export const EndorsementBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    bytes: Type.String({ minLength: 1, maxLength: 2 * 1024 * 1024 }),
  },
  CLOSED,
);

/** Evidence that a relying party wants judged. Byte strings are base64 with padding. */
export const AppraisalBody = Type.Object(
  {
    /** Kind of evidence, `nitro` or `sev-snp` for example; left out, it is told by its content. */
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    evidence: Type.String({ minLength: 1, maxLength: 128 * 1024 }),
    /** A challenge of this service, instead of a nonce of one's own. */
    challenge_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    nonce: Type.Optional(Type.String(BASE64)),
    /** What the evidence must carry as report data, or user data. */
    report_data: Type.Optional(Type.String(BASE64)),
    /** Beside those that the service holds. */
    endorsements: Type.Optional(Type.Array(EndorsementBody, { maxItems: 64 })),
    /** For each claim the values that are accepted. */
    expect: Type.Optional(ClaimValues),
    /** Names of claims in the token: those of the draft, or the dotted ones before it. */
    names: Type.Optional(Type.Union([Type.Literal("draft"), Type.Literal("dotted")])),
  },
  CLOSED,
);

/** An attestation result. */
export const AppraisalResult = Type.Object({
  /** EAR as a signed JSON Web Token. */
  token: Type.String(),
  verdict: Type.Union([
    Type.Literal("affirmed"),
    Type.Literal("refused"),
    Type.Literal("not-judged"),
  ]),
  /** `affirming`, `warning`, `contraindicated` or `none`, as in the token. */
  status: Type.String(),
  expires_at: Type.String(),
});

/** What may run, for one type of evidence. */
export const ReferenceSetBody = Type.Object(
  {
    type: Type.String({ minLength: 1, maxLength: 32 }),
    /** RFC 3339; afterwards the set affirms nothing. */
    not_after: Type.String({
      pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$",
    }),
    values: Type.Array(
      Type.Object(
        {
          name: Type.String(NAME),
          /** For each claim the accepted values; all claims must match. */
          claims: ClaimValues,
        },
        CLOSED,
      ),
      { minItems: 1, maxItems: 256 },
    ),
  },
  CLOSED,
);

/** The name of a set, as in its path. */
export const ReferenceSetName = Type.String(NAME);

/** A set with its name. */
export const ReferenceSetResource = Type.Object(
  { name: ReferenceSetName, ...ReferenceSetBody.properties },
  CLOSED,
);

/** A set signed by whoever answers for it: compact JWS over the set with its name. */
export const SignedReferenceSetBody = Type.Object(
  { signed: Type.String({ minLength: 1, maxLength: 1024 * 1024 }) },
  CLOSED,
);

/** All sets. */
export const ReferenceSetList = Type.Object({ sets: Type.Array(ReferenceSetResource) });

/** The request by which an outside authority certifies the service's key, PEM. */
export const AuthorityRequest = Type.Object({ request_pem: Type.String() });

/** What the outside authority answered: the certificate, then those above it, PEM. */
export const AuthorityChainBody = Type.Object(
  { chain_pem: Type.String({ minLength: 1, maxLength: 32 * 1024 }) },
  CLOSED,
);

/** An authority of the service. */
export const AuthorityResource = Type.Object({
  sha256: Type.String(),
  certificate_pem: Type.String(),
  chain_pem: Type.String(),
});

export type AppraisalBody = Static<typeof AppraisalBody>;
export type AppraisalResult = Static<typeof AppraisalResult>;
export type SignedReferenceSetBody = Static<typeof SignedReferenceSetBody>;
export type ReferenceSetBody = Static<typeof ReferenceSetBody>;
export type ReferenceSetResource = Static<typeof ReferenceSetResource>;
export type ReferenceSetList = Static<typeof ReferenceSetList>;
export type AuthorityRequest = Static<typeof AuthorityRequest>;
export type AuthorityChainBody = Static<typeof AuthorityChainBody>;
export type AuthorityResource = Static<typeof AuthorityResource>;
