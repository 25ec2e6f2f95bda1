// Words of the keep's door.
import { type Static, Type } from "typebox";

/** How a run stands, or how it ended. */
export const RunState = Type.Union([
  Type.Literal("running"),
  Type.Literal("exited"),
  Type.Literal("trapped"),
  Type.Literal("cancelled"),
  Type.Literal("limit"),
  Type.Literal("failed"),
]);

/** One run of a program. Times are RFC 3339; sizes are bytes. */
export const Run = Type.Object({
  id: Type.String(),
  program: Type.String(),
  state: RunState,
  exit_code: Type.Optional(Type.Integer()),
  trap: Type.Optional(
    Type.Object({ message: Type.String(), function: Type.Optional(Type.String()) }),
  ),
  reason: Type.Optional(Type.String()),
  duration_ms: Type.Optional(Type.Number()),
  peak_memory_bytes: Type.Optional(Type.Integer()),
  bytes_read: Type.Optional(Type.Integer()),
  bytes_written: Type.Optional(Type.Integer()),
  started_at: Type.String(),
  ended_at: Type.Optional(Type.String()),
});

/** How a file stands that the keep fetches itself; sizes are of what is fetched. */
export const KeepInput = Type.Object({
  path: Type.String(),
  state: Type.Union([
    Type.Literal("waiting"),
    Type.Literal("fetching"),
    Type.Literal("ready"),
    Type.Literal("failed"),
  ]),
  received: Type.Integer(),
  size: Type.Integer(),
  /** Why it failed, or is tried again. */
  reason: Type.Optional(Type.String()),
});

/** What the keep says of itself. */
export const KeepStatus = Type.Object({
  state: Type.String(),
  platform: Type.String(),
  simulated: Type.Boolean(),
  policy_hash: Type.String(),
  measurement: Type.String(),
  started_at: Type.String(),
  certificate_ends_at: Type.Optional(Type.String()),
  storage: Type.Optional(
    Type.Object({ used_bytes: Type.Integer(), maximum_bytes: Type.Integer() }),
  ),
  runs: Type.Optional(Type.Object({ running: Type.Integer(), started: Type.Integer() })),
  inputs: Type.Optional(Type.Array(KeepInput)),
});

/** Who must sign the policy hash before the keep takes data, and who has; signatures are base64. */
export const KeepConsent = Type.Object({
  policy_hash: Type.String(),
  required: Type.Array(Type.Integer()),
  given: Type.Array(Type.Object({ identity: Type.Integer(), signature: Type.String() })),
});

/** Runs, the newest first. */
export const RunList = Type.Object({ runs: Type.Array(Run) });

/** A stored file. */
export const StoredFile = Type.Object({
  path: Type.String(),
  size: Type.Integer(),
  sha256: Type.Optional(Type.String()),
});

/** Entries of a directory. */
export const Listing = Type.Object({
  entries: Type.Array(
    Type.Object({ name: Type.String(), kind: Type.String(), size: Type.Integer() }),
  ),
});

/** Fresh evidence over a caller's nonce; bytes are base64. */
export const KeepEvidence = Type.Object({
  platform: Type.String(),
  evidence: Type.String(),
  csr: Type.String(),
});

export type Run = Static<typeof Run>;
export type RunState = Static<typeof RunState>;
export type KeepInput = Static<typeof KeepInput>;
export type KeepStatus = Static<typeof KeepStatus>;
export type KeepConsent = Static<typeof KeepConsent>;
export type RunList = Static<typeof RunList>;
export type StoredFile = Static<typeof StoredFile>;
export type Listing = Static<typeof Listing>;
export type KeepEvidence = Static<typeof KeepEvidence>;
