// Words about versions of functions: drafts that become versions once all of their files are there, and names for them.
import { type Static, Type } from "typebox";
import { FunctionBody, FunctionFile, UserPolicyBody } from "./ccfaas.ts";

const CLOSED = { additionalProperties: false };

/** Which version: its number, its digest (`sha256:...`), or an alias. */
export const VersionName = Type.Union([
  Type.Integer({ minimum: 1, maximum: 999_999_999 }),
  Type.String({ minLength: 1, maxLength: 128 }),
]);

/** A new definition on its way: a draft while files are missing, a version from the moment on that none is. */
export const DraftResource = Type.Object({
  function: Type.String(),
  state: Type.Union([Type.Literal("draft"), Type.Literal("published")]),
  /** Once it is published. */
  version: Type.Optional(Type.Integer()),
  digest: Type.String(),
  missing: Type.Array(Type.String()),
  files: Type.Array(FunctionFile),
  created_at: Type.String(),
});

/** A version; it never changes. */
export const VersionResource = Type.Object({
  version: Type.Integer(),
  /** `sha256:` and the digest of the definition, which names the digests of its files. */
  digest: Type.String(),
  /** Whether the function's name alone means it. */
  current: Type.Boolean(),
  aliases: Type.Array(Type.String()),
  /** Of its files together. */
  bytes: Type.Integer(),
  created_at: Type.String(),
});

/** A version with all that it says. */
export const VersionDetail = Type.Object({
  ...VersionResource.properties,
  definition: FunctionBody,
  files: Type.Array(FunctionFile),
});

/** Versions in order of numbers; `next` stands when there are more. */
export const VersionResources = Type.Object({
  versions: Type.Array(VersionResource),
  next: Type.Optional(Type.String()),
});

/** What an alias is to mean. */
export const AliasBody = Type.Object({ version: VersionName }, CLOSED);

/** A name for a version. */
export const AliasResource = Type.Object({
  name: Type.String(),
  version: Type.Integer(),
  digest: Type.String(),
  updated_at: Type.String(),
});

/** Aliases in order of names. */
export const AliasResources = Type.Object({ aliases: Type.Array(AliasResource) });

/** A user policy that may say which version of the function it wants. */
export const NewInstanceBody = Type.Object(
  {
    ...UserPolicyBody.properties,
    /** `function` may say it as well: `NAME@VERSION`. */
    version: Type.Optional(VersionName),
  },
  CLOSED,
);

export type VersionName = Static<typeof VersionName>;
export type DraftResource = Static<typeof DraftResource>;
export type VersionResource = Static<typeof VersionResource>;
export type VersionDetail = Static<typeof VersionDetail>;
export type VersionResources = Static<typeof VersionResources>;
export type AliasBody = Static<typeof AliasBody>;
export type AliasResource = Static<typeof AliasResource>;
export type AliasResources = Static<typeof AliasResources>;
export type NewInstanceBody = Static<typeof NewInstanceBody>;
