// Words about namespaces: rooms of one service that know nothing of each other, and what each may have.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };
/** The counts of any database, and sizes as numbers are exact. */
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** What a namespace may have; not bounded where absent. */
export const NamespaceQuotas = Type.Object(
  {
    functions: Type.Optional(Count),
    /** Living ones. */
    instances: Type.Optional(Count),
    /** Of stored files; the same content counts once. */
    bytes: Type.Optional(Bytes),
    /** Of living keeps together. */
    memory_mib: Type.Optional(Count),
  },
  CLOSED,
);

/** Changes of quotas: null lifts one, an absent one stays. */
export const NamespaceQuotaChange = Type.Object(
  {
    functions: Type.Optional(Type.Union([Count, Type.Null()])),
    instances: Type.Optional(Type.Union([Count, Type.Null()])),
    bytes: Type.Optional(Type.Union([Bytes, Type.Null()])),
    memory_mib: Type.Optional(Type.Union([Count, Type.Null()])),
  },
  CLOSED,
);

/** A namespace that is to be made. */
export const NewNamespaceBody = Type.Object(
  {
    /** 1 to 40 small letters, digits and dashes, no dash first or last. */
    name: Type.String({ pattern: "^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$" }),
    quotas: Type.Optional(NamespaceQuotas),
  },
  CLOSED,
);

/** All quotas of a namespace that is to be there. */
export const NamespaceBody = Type.Object({ quotas: Type.Optional(NamespaceQuotas) }, CLOSED);

/** Changes of a namespace. */
export const NamespaceChange = Type.Object({ quotas: NamespaceQuotaChange }, CLOSED);

/** A namespace with what it has. */
export const NamespaceResource = Type.Object({
  name: Type.String(),
  quotas: NamespaceQuotas,
  used: Type.Object({
    functions: Type.Integer(),
    instances: Type.Integer(),
    bytes: Type.Integer(),
    memory_mib: Type.Integer(),
  }),
  created_at: Type.String(),
});

/** Namespaces in order of names; `next` stands when there are more. */
export const NamespaceResources = Type.Object({
  namespaces: Type.Array(NamespaceResource),
  next: Type.Optional(Type.String()),
});

export type NamespaceQuotas = Static<typeof NamespaceQuotas>;
export type NamespaceQuotaChange = Static<typeof NamespaceQuotaChange>;
export type NewNamespaceBody = Static<typeof NewNamespaceBody>;
export type NamespaceBody = Static<typeof NamespaceBody>;
export type NamespaceChange = Static<typeof NamespaceChange>;
export type NamespaceResource = Static<typeof NamespaceResource>;
export type NamespaceResources = Static<typeof NamespaceResources>;
