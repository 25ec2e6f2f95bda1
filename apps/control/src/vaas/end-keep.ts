// DELETE /veracruz/NAME: works in every state, and frees everything before it answers.
import type { StoredKeep } from "@holdfast/store";
import { handleOf, timestamp, type VaasContext } from "./context.ts";

/** Ends a keep for good; when it is over already, nothing happens. */
export async function endKeep(
  context: VaasContext,
  { id, name }: StoredKeep,
  reason: string,
): Promise<void> {
  const { keeps } = context.store;
  const living = ["requested", "starting", "attested", "serving", "ending"] as const;
  if (!(await keeps.move(id, living, "ending", timestamp(context), { reason }))) return;
  const keep = await keeps.find(id);
  if (keep === undefined) return;
  const { keep: process } = await context.launcher.look(handleOf(keep));
  await context.launcher.end({
    ...handleOf(keep),
    ...(process === undefined ? {} : { keep: process }),
  });
  if (await keeps.close(id, "ended", reason, timestamp(context))) {
    context.logger.info({ keep: name, instance: keep.instanceId, reason }, "keep ended");
  }
}
