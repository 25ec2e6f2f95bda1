// The file in which a loader tells how its keep stands. It is replaced whole, so that it is never half read.
import { readFile } from "node:fs/promises";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

/** What a loader says. */
export const LoaderState = Type.Object({
  state: Type.Union([
    Type.Literal("starting"),
    Type.Literal("waiting"),
    Type.Literal("attested"),
    Type.Literal("serving"),
    Type.Literal("failed"),
    Type.Literal("ended"),
  ]),
  loader_pid: Type.Integer(),
  keep_pid: Type.Optional(Type.Integer({ minimum: 1 })),
  platform: Type.String(),
  simulated: Type.Boolean(),
  measurement: Type.String(),
  reason: Type.Optional(Type.String()),
  exit_code: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
});
export type LoaderState = Static<typeof LoaderState>;

/** What a loader said; undefined when it makes no sense. */
export function parseLoaderState(text: string): LoaderState | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(LoaderState, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the file; undefined when there is none yet, or it says nothing that makes sense. */
export async function readStateFile(path: string): Promise<LoaderState | undefined> {
  try {
    return parseLoaderState(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
