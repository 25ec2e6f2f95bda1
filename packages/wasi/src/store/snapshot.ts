// What travels between the store and a run: the files as they were, and what a run changed.
import type { Content } from "./content.ts";

/** Times of a stored thing, in nanoseconds since 1970; zero where the clock is off. */
export interface Times {
  readonly accessed: bigint;
  readonly modified: bigint;
}

/** A stored thing. */
export type StoredNode =
  | ({ readonly kind: "file"; readonly path: string; readonly content: Content } & Times)
  | ({ readonly kind: "directory"; readonly path: string } & Times)
  | ({ readonly kind: "symlink"; readonly path: string; readonly target: string } & Times);

/** All stored things at one moment, parents before children; structured-cloneable without copying file bytes. */
export interface Snapshot {
  readonly nodes: readonly StoredNode[];
}

/** What a run did to its snapshot: removals first, then what stands anew, parents before children. */
export interface Changes {
  readonly removed: readonly string[];
  readonly written: readonly StoredNode[];
}
