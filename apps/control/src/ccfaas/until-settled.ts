// Waits until an instance is up, or is not to be.
import type { StoredInstance } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { type CcfaasContext, UNFINISHED } from "./context.ts";

/**
 * Waits until an instance is ready.
 * @throws ControlError INSTANCE_ENDED when it was deleted, INSTANCE_FAILED when it failed or ended
 */
export async function untilSettled(context: CcfaasContext, key: string): Promise<StoredInstance> {
  for (;;) {
    const instance = await context.store.instances.findByKey(key);
    if (instance === undefined) {
      throw new ControlError(409, "INSTANCE_ENDED", "the instance was deleted while it came up");
    }
    if (instance.state === "ready") return instance;
    if (!UNFINISHED.includes(instance.state)) {
      const why = `the instance is ${instance.state}: ${instance.reason ?? "no reason is known"}`;
      throw new ControlError(502, "INSTANCE_FAILED", why);
    }
    await context.store.events.next(context.works.shutdown);
    if (context.works.shutdown.aborted) {
      throw new ControlError(
        503,
        "SHUTTING_DOWN",
        "the service ends; it goes on with the instance",
      );
    }
  }
}
