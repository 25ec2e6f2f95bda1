// Request headers that several routes read.
import { Type } from "typebox";

/** A name the caller gives to a request, so that sending it again makes nothing twice. */
export const IdempotencyKey = Type.Object({
  "idempotency-key": Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});

/** How the caller wants to be answered (RFC 7240). */
export const CreationHeaders = Type.Object({
  "idempotency-key": Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  prefer: Type.Optional(Type.String({ maxLength: 1024 })),
});

/** Whether the caller would rather not wait. */
export function prefersAsync(prefer: string | undefined): boolean {
  const named = (preference: string): string => preference.split(";", 1)[0]?.trim() ?? "";
  return (prefer ?? "").split(",").some((each) => named(each).toLowerCase() === "respond-async");
}
