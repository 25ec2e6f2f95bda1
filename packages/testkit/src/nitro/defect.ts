// A way to spoil a document in exactly one thing.
import type { NitroRequest } from "@holdfast/evidence";
import type { NitroChanges, NitroWorld } from "./world.ts";

/** One defect. */
export interface NitroDefect {
  readonly name: string;
  /** The checks that must fail, and no other. */
  readonly fails: readonly string[];
  readonly changes?: (world: NitroWorld) => NitroChanges | Promise<NitroChanges>;
  /** Asks for something else than an unspoilt document has. */
  readonly request?: (world: NitroWorld) => Partial<NitroRequest>;
}
