// Ends an instance in whatever state it is: work on it is stopped, its keep ended, and only then its record changes for
// good. When VaaS does not answer it stays `ending`, and is tried again.
import { ServiceError, ServiceRefusal } from "@holdfast/contract";
import type { StoredInstance, StoredInstanceState } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { type CcfaasContext, timestamp, UNFINISHED } from "./context.ts";

const LIVING: readonly StoredInstanceState[] = [...UNFINISHED, "ready", "ending"];

/**
 * Ends and forgets an instance.
 * @throws ControlError VAAS_UNREACHABLE when its keep can't be ended now; it will be
 */
export async function endInstance(context: CcfaasContext, instance: StoredInstance): Promise<void> {
  const { key, state } = instance;
  const { instances } = context.store;
  if (state === "ended" || state === "failed") {
    await instances.remove(key, timestamp(context));
    return;
  }
  const change = { reason: "deleted", finalState: "removed" as const };
  await instances.move(key, LIVING, "ending", timestamp(context), change);
  // A keep that is still starting answers sooner when it is ended first; what is left then is ended below.
  await endKeeps(context, instance).catch(() => undefined);
  await context.works.stop(key);
  await context.works.run(key, () => finishEnding(context, key));
}

/** Ends the keep of an instance that is ending, then settles its record. */
export async function finishEnding(context: CcfaasContext, key: string): Promise<void> {
  const { instances } = context.store;
  const instance = await instances.findByKey(key);
  if (instance === undefined || instance.state !== "ending") return;
  await endKeeps(context, instance);
  if (instance.finalState === "removed") await instances.remove(key, timestamp(context));
  else await instances.move(key, ["ending"], "failed", timestamp(context));
  context.logger.info({ instance: instance.id, reason: instance.reason }, "instance ended");
}

/** Keeps are found by the request that made them: one whose answer never arrived is found as well. */
async function endKeeps({ vaas }: CcfaasContext, { requestKey }: StoredInstance): Promise<void> {
  try {
    for (const { name, instance_hash } of (await vaas.keeps({ requestKey })).keeps) {
      await vaas.delete(name, { instance_hash }).catch(unlessGone);
    }
  } catch (cause) {
    if (!(cause instanceof ServiceError) && !(cause instanceof ServiceRefusal)) throw cause;
    throw new ControlError(
      502,
      "VAAS_UNREACHABLE",
      `Error accessing the vaas_server ${cause.message}; the instance is ended once it answers`,
      { cause },
    );
  }
}

function unlessGone(thrown: unknown): void {
  if (!(thrown instanceof ServiceRefusal) || thrown.status !== 404) throw thrown;
}
