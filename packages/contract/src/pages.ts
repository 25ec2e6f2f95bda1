// Words that every list under /v1 shares.
import { type Static, Type } from "typebox";

/** Which part of a list is asked for. */
export const PageQuery = Type.Object({
  /** How many at most. */
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** The name that `next` gave on the page before. */
  after: Type.Optional(Type.String({ maxLength: 1024 })),
});

/** What changed. */
export const ControlEvent = Type.Object({
  /** Grows with every event. */
  seq: Type.Integer(),
  at: Type.String(),
  kind: Type.Union([Type.Literal("function"), Type.Literal("instance"), Type.Literal("keep")]),
  subject: Type.String(),
  state: Type.String(),
  reason: Type.Optional(Type.String()),
});

/** Events, oldest first. */
export const ControlEvents = Type.Object({ events: Type.Array(ControlEvent) });

export type PageQuery = Static<typeof PageQuery>;
export type ControlEvent = Static<typeof ControlEvent>;
export type ControlEvents = Static<typeof ControlEvents>;
