// Words of CCFaaS: the seed's schemas of functions and user policies, its answers, and the resources under /v1 that
// say more.
import { type Static, Type } from "typebox";
import { FileRights, PolicyTerms } from "./vaas.ts";

const CLOSED = { additionalProperties: false };

/** A function, as an administrator registers it. */
export const FunctionBody = Type.Object(
  {
    function: Type.String(),
    execution_strategy: Type.String(),
    max_memory_mib: Type.Integer(),
    programs: Type.Array(
      Type.Object(
        {
          file_rights: FileRights,
          id: Type.Integer(),
          pi_hash: Type.String(),
          program_file_name: Type.String(),
        },
        CLOSED,
      ),
    ),
    data_files: Type.Optional(
      Type.Array(
        Type.Object(
          {
            data_file: Type.String(),
            pi_hash: Type.String(),
            priority: Type.Optional(Type.Integer()),
          },
          CLOSED,
        ),
      ),
    ),
    file_rights: FileRights,
    debug: Type.Boolean(),
    enable_clock: Type.Boolean(),
    holdfast: Type.Optional(PolicyTerms),
  },
  CLOSED,
);

/** Where a file of a function is to be fetched from. */
export const FetchBody = Type.Object(
  {
    /** As the definition names it. */
    path: Type.String(),
    /** `https://...`, or `oci://REGISTRY/REPOSITORY` with the file as a blob under its digest. */
    source: Type.String({ minLength: 1, maxLength: 2048 }),
  },
  CLOSED,
);

/** A user policy: which function, under which name, and who may talk to it. */
export const UserPolicyBody = Type.Object(
  {
    instanceid: Type.String(),
    function: Type.String(),
    identities: Type.Array(
      Type.Object({ file_rights: FileRights, certificate: Type.String() }, CLOSED),
    ),
  },
  CLOSED,
);

/** Names of functions. */
export const FunctionList = Type.Object({ functions: Type.Array(Type.String()) });

/** Base64 of the paths of stored programs. */
export const ProgramList = Type.Object({ programs: Type.Array(Type.String()) });

/** Base64 of the paths of stored data files. */
export const DataFileList = Type.Object({ data_files: Type.Array(Type.String()) });

/** Ids of living instances. */
export const InstanceList = Type.Object({ instances: Type.Array(Type.String()) });

/** An instance that is ready, with the exact text of its policy. */
export const InstanceAnswer = Type.Object({ instance: Type.String(), policy: Type.String() });

/** One file of a function. */
export const FunctionFile = Type.Object({
  path: Type.String(),
  kind: Type.Union([Type.Literal("program"), Type.Literal("data_file")]),
  sha256: Type.String(),
  stored: Type.Boolean(),
  size: Type.Optional(Type.Integer()),
  /** Where keeps fetch it from themselves; then it is not uploaded. */
  source: Type.Optional(Type.String()),
});

/** A function with its state: provisioned, incomplete (some files stored), or defined (none). */
export const FunctionResource = Type.Object({
  name: Type.String(),
  state: Type.Union([
    Type.Literal("defined"),
    Type.Literal("incomplete"),
    Type.Literal("provisioned"),
  ]),
  missing: Type.Array(Type.String()),
  files: Type.Array(FunctionFile),
  /** The version that it is, once it is provisioned. */
  version: Type.Optional(Type.Integer()),
  digest: Type.String(),
  /** Whether a new definition is on its way. */
  has_draft: Type.Boolean(),
  created_at: Type.String(),
});

/** Functions in order of names; `next` stands when there are more. */
export const FunctionResources = Type.Object({
  functions: Type.Array(FunctionResource),
  next: Type.Optional(Type.String()),
});

/** How an instance stands. Ended and failed ones are remembered for a while, with the reason. */
export const InstanceState = Type.Union([
  Type.Literal("requested"),
  Type.Literal("starting"),
  Type.Literal("attested"),
  Type.Literal("provisioning"),
  Type.Literal("ready"),
  Type.Literal("ending"),
  Type.Literal("ended"),
  Type.Literal("failed"),
]);

/** An instance as CCFaaS knows it. */
export const InstanceResource = Type.Object({
  id: Type.String(),
  function: Type.String(),
  /** The version it was made of; absent when it was made of what was no version. */
  version: Type.Optional(Type.Integer()),
  state: InstanceState,
  reason: Type.Optional(Type.String()),
  keep: Type.Optional(Type.String()),
  /** Bytes already in the keep, and bytes to load in all. */
  bytes_loaded: Type.Integer(),
  bytes_total: Type.Integer(),
  created_at: Type.String(),
  updated_at: Type.String(),
});

/** Instances in order of ids; `next` stands when there are more. */
export const InstanceResources = Type.Object({
  instances: Type.Array(InstanceResource),
  next: Type.Optional(Type.String()),
});

export type FunctionBody = Static<typeof FunctionBody>;
export type FetchBody = Static<typeof FetchBody>;
export type UserPolicyBody = Static<typeof UserPolicyBody>;
export type FunctionList = Static<typeof FunctionList>;
export type ProgramList = Static<typeof ProgramList>;
export type DataFileList = Static<typeof DataFileList>;
export type InstanceList = Static<typeof InstanceList>;
export type InstanceAnswer = Static<typeof InstanceAnswer>;
export type FunctionFile = Static<typeof FunctionFile>;
export type FunctionResource = Static<typeof FunctionResource>;
export type FunctionResources = Static<typeof FunctionResources>;
export type InstanceState = Static<typeof InstanceState>;
export type InstanceResource = Static<typeof InstanceResource>;
export type InstanceResources = Static<typeof InstanceResources>;
