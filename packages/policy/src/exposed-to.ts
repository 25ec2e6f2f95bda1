// Who of a policy's identities could get at what stands at a path, or put something else there.
import type { Policy, PolicyIdentity } from "./policy.ts";
import { mayFetch, maySupply } from "./principals.ts";

/** Identities that may read or write at a normalised path. A sealed input must have none. */
export function exposedTo({ identities }: Policy, path: string): PolicyIdentity[] {
  return identities.filter(({ rights }) => mayFetch(rights, path) || maySupply(rights, path));
}
