// Cuts lists into pages.
import type { PageQuery } from "@holdfast/contract";

const DEFAULT_LIMIT = 100;

/** One page of a list, and the name after which the next begins. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** Which way a list goes. */
export type Order = "ascending" | "descending";

/**
 * The page that is asked for. Items are in the order of a name that each has for itself; one that vanished between two
 * pages does not lose the reader's place.
 */
export function pageOf<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { limit = DEFAULT_LIMIT, after }: PageQuery,
  order: Order = "ascending",
): Page<T> {
  const isBefore = (left: string, right: string): boolean =>
    order === "ascending" ? left < right : left > right;
  const sorted = [...all].sort((left, right) => (isBefore(nameOf(left), nameOf(right)) ? -1 : 1));
  const rest =
    after === undefined ? sorted : sorted.filter((item) => isBefore(after, nameOf(item)));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    ...(rest.length > limit && last !== undefined ? { next: nameOf(last) } : {}),
  };
}
