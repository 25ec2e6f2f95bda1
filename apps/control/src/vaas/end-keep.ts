// DELETE /veracruz/NAME: works in every state, and frees everything before it answers.
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredKeep } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { handleOf, isOver, timestamp, type VaasContext } from "./context.ts";

const POLL_MS = 100;
const PATIENCE_MS = 20_000;

/**
 * Ends a keep for good; when it is over already, nothing happens.
 * @throws ControlError KEEP_ELSEWHERE when another process has it, which does not end it now; it will
 */
export async function endKeep(
  context: VaasContext,
  { id, name, node }: StoredKeep,
  reason: string,
): Promise<void> {
  const { keeps } = context.store;
  const living = ["requested", "starting", "attested", "serving", "ending"] as const;
  if (!(await keeps.move(id, living, "ending", timestamp(context), { reason }))) return;
  if (node !== context.launcher.node) {
    await untilOver(context, id);
    return;
  }
  context.ages.forget(id);
  const keep = await keeps.find(id);
  if (keep === undefined) return;
  const { keep: process } = await context.launcher.look(handleOf(keep));
  // What was recorded while it lived comes first: by now its number may be somebody else's.
  await context.launcher.end({
    ...(process === undefined ? {} : { keep: process }),
    ...handleOf(keep),
  });
  if (await keeps.close(id, "ended", reason, timestamp(context))) {
    context.logger.info({ keep: name, instance: keep.instanceId, reason }, "keep ended");
  }
}

async function untilOver({ store }: VaasContext, id: string): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    const keep = await store.keeps.find(id);
    if (keep === undefined || isOver(keep)) return;
    await sleep(POLL_MS);
  }
  throw new ControlError(
    503,
    "KEEP_ELSEWHERE",
    "the process that has this keep does not end it now; it does when it comes back",
  );
}
