// Words of VaaS: the seed's schemas of its policy and answers. Stricter in one thing: a file right names both its file
// and its rights, which the seed's schema forgets to require.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };

/** Rights on files, as every policy writes them. */
export const FileRights = Type.Array(
  Type.Object({ file_name: Type.String(), rights: Type.Integer() }, CLOSED),
);

/** Terms beyond the seed's, which the policy's own reader judges, member by member. */
export const PolicyTerms = Type.Object({}, { additionalProperties: true });

/** What VaaS is asked for: program and user policy together. */
export const VaasPolicyBody = Type.Object(
  {
    instance_id: Type.Optional(Type.String()),
    ciphersuite: Type.String(),
    debug: Type.Boolean(),
    enable_clock: Type.Boolean(),
    execution_strategy: Type.String(),
    max_memory_mib: Type.Integer(),
    identities: Type.Array(
      Type.Object(
        { certificate: Type.String(), file_rights: FileRights, id: Type.Integer() },
        CLOSED,
      ),
    ),
    programs: Type.Array(
      Type.Object(
        { file_rights: FileRights, id: Type.Integer(), program_file_name: Type.String() },
        CLOSED,
      ),
    ),
    file_hashes: Type.Optional(
      Type.Array(Type.Object({ file_path: Type.String(), hash: Type.String() }, CLOSED)),
    ),
    enclave_cert_expiry: Type.Optional(
      Type.Object(
        {
          day: Type.Integer(),
          hour: Type.Integer(),
          minute: Type.Integer(),
          month: Type.Integer(),
          year: Type.Integer(),
        },
        CLOSED,
      ),
    ),
    holdfast: Type.Optional(PolicyTerms),
  },
  CLOSED,
);

/** A new Veracruz instance: the first 59 digits of its policy's hash, and the policy's exact text. */
export const VeracruzCreated = Type.Object({
  instance_hash: Type.String(),
  instance_id: Type.Optional(Type.String()),
  policy: Type.String(),
});

/** What is said of one instance; status is OK when it serves. */
export const VeracruzInstance = Type.Object({
  instance_hash: Type.String(),
  instance_id: Type.Optional(Type.String()),
  status: Type.String(),
});

/** All instances, each an object of one member: its name. */
export const VeracruzList = Type.Object({
  veracruz: Type.Array(Type.Record(Type.String(), VeracruzInstance)),
});

/** How a keep stands. Ended and failed ones are remembered for a while, with the reason. */
export const KeepState = Type.Union([
  Type.Literal("requested"),
  Type.Literal("starting"),
  Type.Literal("attested"),
  Type.Literal("serving"),
  Type.Literal("ending"),
  Type.Literal("ended"),
  Type.Literal("failed"),
]);

/** A keep as VaaS knows it. Times are RFC 3339. */
export const KeepResource = Type.Object({
  name: Type.String(),
  state: KeepState,
  reason: Type.Optional(Type.String()),
  instance_hash: Type.String(),
  instance_id: Type.Optional(Type.String()),
  address: Type.String(),
  max_memory_mib: Type.Integer(),
  platform: Type.Optional(Type.String()),
  simulated: Type.Optional(Type.Boolean()),
  measurement: Type.Optional(Type.String()),
  created_at: Type.String(),
  updated_at: Type.String(),
});

/** Keeps, newest first; `next` stands when there are more. */
export const KeepList = Type.Object({
  keeps: Type.Array(KeepResource),
  next: Type.Optional(Type.String()),
});

export type FileRights = Static<typeof FileRights>;
export type VaasPolicyBody = Static<typeof VaasPolicyBody>;
export type VeracruzCreated = Static<typeof VeracruzCreated>;
export type VeracruzInstance = Static<typeof VeracruzInstance>;
export type VeracruzList = Static<typeof VeracruzList>;
export type KeepState = Static<typeof KeepState>;
export type KeepResource = Static<typeof KeepResource>;
export type KeepList = Static<typeof KeepList>;
