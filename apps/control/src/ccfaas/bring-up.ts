// Brings an instance up from wherever it stands: keep asked for, keep checked, files loaded, inputs there, ready. A failure
// ends the keep and leaves a record that says why.
import { ChannelError } from "@holdfast/channel";
import { KeepClient, ServiceError, ServiceRefusal } from "@holdfast/contract";
import { HoldfastError, messageOf } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import {
  type InstanceChange,
  isUnreachable,
  type StoredInstance,
  type StoredInstanceState,
} from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { reachKeep } from "../reach-keep.ts";
import { awaitInputs } from "./await-inputs.ts";
import { type CcfaasContext, timestamp, UNFINISHED } from "./context.ts";
import { finishEnding } from "./end-instance.ts";
import { provision } from "./provision.ts";
import { requestKeep } from "./request-keep.ts";

/**
 * Brings an instance up.
 * @param signal stops the work; the instance then stays as it stands
 * @throws ControlError INSTANCE_ENDED when it is deleted meanwhile, INSTANCE_BUSY when another process took it over, for this
 *   one had stood still; VAAS_UNREACHABLE, VAAS_REFUSED, VAAS_ANSWER,
 *   PROVISIONING_FAILED
 */
export async function bringUp(
  context: CcfaasContext,
  key: string,
  signal: AbortSignal,
): Promise<StoredInstance> {
  try {
    let instance = await current(context, key);
    // Another process may have been faster.
    if (instance.state === "ready") return instance;
    if (instance.policy === undefined) {
      await step(context, key, ["requested", "starting"], "starting");
      const asked = await requestKeep(context, instance, signal);
      await step(context, key, ["starting"], "attested", asked);
      instance = await current(context, key);
    }
    await step(context, key, ["attested", "provisioning"], "provisioning");
    await load(context, instance, signal);
    await step(context, key, ["provisioning"], "ready");
    context.logger.info({ instance: instance.id }, "instance ready");
    return await current(context, key);
  } catch (thrown) {
    if (context.works.shutdown.aborted) {
      throw new ControlError(
        503,
        "SHUTTING_DOWN",
        "the service ends; it goes on with the instance",
      );
    }
    // It stays as it stands, and is gone on with once the database answers.
    if (isUnreachable(thrown)) throw thrown;
    const refusal = refusalOf(thrown);
    // A failure of something that is being deleted is no failure: whatever it was, the deletion was its cause.
    if (!signal.aborted && (await rollBack(context, key, refusal.message))) throw refusal;
    const { state, finalState, reason } = await current(context, key);
    // Somebody else noticed first.
    if (finalState === "failed") {
      throw new ControlError(502, "PROVISIONING_FAILED", `the instance failed: ${reason}`);
    }
    if (!UNFINISHED.includes(state) && state !== "ready") throw ended();
    throw new ControlError(503, "INSTANCE_BUSY", "another process goes on with the instance");
  }
}

async function load(
  context: CcfaasContext,
  instance: StoredInstance,
  signal: AbortSignal,
): Promise<void> {
  const loads = await context.store.instances.loads(instance.key);
  if (loads.length === 0) return;
  const connection = await reachKeep({
    policy: parsePolicy(instance.policy ?? ""),
    identity: context.loader,
    clock: context.clock,
    timeoutMs: context.silenceMs,
    signal,
  });
  try {
    const keep = new KeepClient(connection);
    await provision(context, instance, keep, signal);
    await awaitInputs(context, instance, keep, signal);
  } finally {
    connection.close();
  }
}

async function step(
  context: CcfaasContext,
  key: string,
  from: readonly StoredInstanceState[],
  to: StoredInstanceState,
  change: InstanceChange = {},
): Promise<void> {
  const by = context.works.owner;
  const at = timestamp(context);
  if (await context.store.instances.move(key, from, to, at, { ...change, by })) return;
  throw ended();
}

async function current({ store }: CcfaasContext, key: string): Promise<StoredInstance> {
  const instance = await store.instances.findByKey(key);
  if (instance !== undefined) return instance;
  throw ended();
}

function ended(): ControlError {
  return new ControlError(409, "INSTANCE_ENDED", "the instance was deleted while it came up");
}

/**
 * Records the failure first, then frees the keep; when that can't be done now, it is tried again later.
 * @returns false when the instance was already on its way out, or another process has taken it over
 */
async function rollBack(context: CcfaasContext, key: string, reason: string): Promise<boolean> {
  const { instances } = context.store;
  const change = { reason, finalState: "failed" as const, by: context.works.owner };
  if (!(await instances.move(key, UNFINISHED, "ending", timestamp(context), change))) return false;
  context.logger.warn({ instance: key, reason }, "instance failed");
  await finishEnding(context, key).catch((thrown) => {
    context.logger.warn({ instance: key, err: thrown }, "ending a failed instance is put off");
  });
  return true;
}

/** What the caller is told: refusals of VaaS as they are, faults of the keep as ours of provisioning. */
function refusalOf(thrown: unknown): ControlError {
  if (thrown instanceof ControlError) return thrown;
  if (
    thrown instanceof ChannelError ||
    thrown instanceof ServiceRefusal ||
    thrown instanceof ServiceError
  ) {
    const text = `the keep could not be provisioned: ${thrown.message} (${thrown.code})`;
    return new ControlError(502, "PROVISIONING_FAILED", text, { cause: thrown });
  }
  if (thrown instanceof HoldfastError) {
    return new ControlError(500, "PROVISIONING_FAILED", messageOf(thrown), { cause: thrown });
  }
  return new ControlError(500, "SERVICE_FAILED", "the instance could not be brought up", {
    cause: thrown,
  });
}
