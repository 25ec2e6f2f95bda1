// POST /veracruz: take a port and memory, compose the policy, record, start, and wait until the keep serves and has
// proven itself. Asked again with the same idempotency key it is the same keep.
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@holdfast/core";
import { composeFullPolicy, instanceHash, parsePolicy, type VaasPolicy } from "@holdfast/policy";
import { type StoredKeep, StoreError } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { INSTANCE_HOST, isOver, timestamp, type VaasContext } from "./context.ts";
import { noMemory, noPort } from "./full.ts";
import { buryKeep, reconcileKeep } from "./reconcile-keep.ts";

/** Options of a creation. */
export interface CreateOptions {
  readonly namespace: string;
  /** Idempotency key. */
  readonly requestKey?: string;
  /** Asked at the last moment before anything is made: a caller who died must not leave a keep behind. */
  readonly isWanted?: () => boolean;
}

/** For keeps of which the launcher does not hear. */
const POLL_MS = 100;
/** Time to find that a keep did not come up, beyond the time it has. */
const MARGIN_MS = 15_000;
const MAXIMUM_RETRIES = 3;

/**
 * Starts a keep.
 * @throws StoreError STORE_QUOTA; ControlError KEEPS_NO_PORT, KEEPS_NO_MEMORY, KEEP_FAILED, KEEP_ENDED,
 *   IDEMPOTENCY_KEY_REUSED, KEEP_ELSEWHERE, BUNDLE_MISSING, ATTESTATION_UNREACHABLE
 */
export async function createKeep(
  context: VaasContext,
  policy: VaasPolicy,
  options: CreateOptions,
): Promise<StoredKeep> {
  const requestHash = createHash("sha256").update(JSON.stringify(policy)).digest("hex");
  const earlier = await findEarlier(context, requestHash, options);
  if (earlier !== undefined) return await untilServing(context, earlier.id);
  const taken = new Set<number>();
  for (;;) {
    const [measurement, authority] = await Promise.all([
      context.launcher.measurement(),
      context.attestation.authority(),
    ]);
    const choice = { ...options, taken, measurement, authority };
    const { keep, isNew } = await allocate(context, policy, requestHash, choice);
    if (isNew) await launch(context, keep, measurement);
    try {
      return await untilServing(context, keep.id);
    } catch (thrown) {
      // Somebody outside our records took the port between our look and the keep's: the next port, then.
      if (!isPortTaken(thrown) || taken.size >= MAXIMUM_RETRIES || !isNew) throw thrown;
      taken.add(keep.port ?? 0);
    }
  }
}

function isPortTaken(thrown: unknown): boolean {
  return (
    thrown instanceof ControlError &&
    thrown.code === "KEEP_FAILED" &&
    /EADDRINUSE|BOOT_LISTEN/.test(thrown.message)
  );
}

async function findEarlier(
  { store }: VaasContext,
  requestHash: string,
  { namespace, requestKey }: CreateOptions,
): Promise<StoredKeep | undefined> {
  const earlier = requestKey && (await store.keeps.findByRequestKey(namespace, requestKey));
  if (!earlier) return undefined;
  if (earlier.requestHash === requestHash) return earlier;
  throw new ControlError(
    422,
    "IDEMPOTENCY_KEY_REUSED",
    "this idempotency key was used for another request",
  );
}

interface Choice extends CreateOptions {
  /** Ports that turned out to be somebody else's. */
  readonly taken: ReadonlySet<number>;
  readonly measurement: string;
  /** The attestation service's, PEM. */
  readonly authority: string;
}

interface Allocation {
  readonly keep: StoredKeep;
  readonly isNew: boolean;
}

/** One request after the other: the looks of two at one port would take it from each other, and from a keep that starts. */
async function allocate(
  context: VaasContext,
  policy: VaasPolicy,
  requestHash: string,
  choice: Choice,
): Promise<Allocation> {
  return await context.turns.take("ports", () =>
    recordOnPort(context, policy, { ...choice, requestHash }),
  );
}

/** Records the keep on the first port that nobody holds; the record is what holds it. */
async function recordOnPort(
  context: VaasContext,
  policy: VaasPolicy,
  {
    taken,
    measurement,
    requestHash,
    authority,
    ...options
  }: Choice & { readonly requestHash: string },
): Promise<Allocation> {
  const { config, store } = context;
  const { namespace, requestKey } = options;
  const used = await store.keeps.usedPorts(config.host);
  for (let port = config.portMin; port <= config.portMax; port += 1) {
    if (used.has(port) || taken.has(port) || !(await isFree(config.listenHost, port))) continue;
    const id = randomUUID();
    const text = composeFullPolicy(policy, {
      serverUrl: `${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`,
      attestationUrl: context.attestation.address,
      attestationCertificatePem: authority,
      nitroMeasurement: measurement,
      now: context.clock.now(),
    });
    parsePolicy(text);
    if (options.isWanted?.() === false)
      throw new ControlError(409, "KEEP_ENDED", "the caller has left");
    context.launching.add(id);
    try {
      await store.keeps.create(
        {
          id,
          namespace,
          name: `${INSTANCE_HOST}:${port}`,
          node: context.launcher.node,
          host: config.host,
          port,
          ...(policy.instance_id === undefined ? {} : { instanceId: policy.instance_id }),
          instanceHash: await instanceHash(text),
          ...(requestKey === undefined ? {} : { requestKey }),
          requestHash,
          policy: text,
          maxMemoryMib: policy.max_memory_mib,
          createdAt: timestamp(context),
        },
        config.maxMemoryMibTotal,
      );
      return { keep: await recorded(context, id), isNew: true };
    } catch (thrown) {
      context.launching.delete(id);
      const asked = { requestHash, options, memoryMib: policy.max_memory_mib };
      const other = await refusalOrOther(context, thrown, asked);
      if (other !== undefined) return { keep: other, isNew: false };
    }
  }
  throw await noPort(context);
}

interface Asked {
  readonly requestHash: string;
  readonly options: CreateOptions;
  readonly memoryMib: number;
}

/** After a record was refused: another keep of the same request, or undefined to try the next port. */
async function refusalOrOther(
  context: VaasContext,
  thrown: unknown,
  { requestHash, options, memoryMib }: Asked,
): Promise<StoredKeep | undefined> {
  if (!(thrown instanceof StoreError)) throw thrown;
  if (thrown.code === "STORE_FULL") throw await noMemory(context, memoryMib, thrown.message);
  if (thrown.code !== "STORE_CONFLICT") throw thrown;
  return await findEarlier(context, requestHash, options);
}

async function launch(context: VaasContext, keep: StoredKeep, measurement: string): Promise<void> {
  const { id, policy, port } = keep;
  try {
    if (port === undefined) throw new Error("the keep has no port");
    await context.launcher.start({ id, policy, port, measurement }, async (loader) => {
      const at = timestamp(context);
      const from = ["requested", "starting"] as const;
      const moved = await context.store.keeps.move(id, from, "starting", at, { loader });
      if (!moved)
        throw new ControlError(409, "KEEP_ENDED", "the keep was deleted while it started");
    });
    context.logger.info({ keep: keep.name, instance: keep.instanceId }, "keep started");
  } catch (thrown) {
    await buryKeep(context, keep, `the keep could not be started: ${messageOf(thrown)}`);
    if (thrown instanceof ControlError) throw thrown;
    throw new ControlError(
      502,
      "KEEP_FAILED",
      `the keep could not be started: ${messageOf(thrown)}`,
      {
        cause: thrown,
      },
    );
  } finally {
    context.launching.delete(id);
  }
}

async function untilServing(context: VaasContext, id: string): Promise<StoredKeep> {
  const end = performance.now() + context.config.startTimeoutMs + MARGIN_MS;
  while (performance.now() < end) {
    const { promise: changed, resolve: change } = Promise.withResolvers<void>();
    const unfollow = context.launcher.follow(id, change);
    try {
      const keep = await reconcileKeep(context, id);
      if (keep?.state === "serving") return keep;
      if (keep === undefined || keep.state === "ending" || keep.state === "ended") {
        throw new ControlError(409, "KEEP_ENDED", "the keep was deleted while it started");
      }
      if (isOver(keep)) {
        throw new ControlError(502, "KEEP_FAILED", `the keep did not come up: ${keep.reason}`);
      }
      await Promise.race([changed, sleep(POLL_MS)]);
    } finally {
      unfollow();
    }
  }
  // Its own process would have ended it by now.
  throw new ControlError(
    503,
    "KEEP_ELSEWHERE",
    "the process that has this keep does not bring it up; it does, or ends it, when it comes back",
  );
}

async function recorded({ store }: VaasContext, id: string): Promise<StoredKeep> {
  const keep = await store.keeps.find(id);
  if (keep === undefined) throw new Error(`keep ${id} vanished from the store`);
  return keep;
}

/** Whether nobody outside our records listens there. */
function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
