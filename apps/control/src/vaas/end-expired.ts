// Ends keeps whose policies have ended: nothing goes in or out of them any more, and they hold a port and memory.
import type { VaasContext } from "./context.ts";
import { endKeep } from "./end-keep.ts";
import { policyEnd } from "./policy-end.ts";

/** Ends what has expired on this node. */
export async function endExpired(context: VaasContext): Promise<void> {
  const { store, launcher, clock } = context;
  const now = clock.now();
  for (const keep of await store.keeps.living()) {
    if (keep.node !== launcher.node || policyEnd(keep) >= now) continue;
    await endKeep(context, keep, `its policy ended at ${policyEnd(keep).toISOString()}`);
  }
}
