// An instance through CCFaaS, with its provisioning shown as it goes on. It may take longer than a request is held open on
// its way, or than the service runs without a restart: asked again under the same key it is the same instance.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CcfaasClient,
  type InstanceAnswer,
  ServiceError,
  ServiceRefusal,
  type UserPolicyBody,
} from "@holdfast/contract";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import type { Progress } from "../terminal/progress.ts";

const POLL_MS = 500;

/** When an answer counts as lost on its way, and how long it is asked for again; in milliseconds. */
export interface Persistence {
  /** What breaks off sooner was hardly begun: the person hears of it. */
  readonly begunMs: number;
  readonly patienceMs: number;
  readonly pauseMs: number;
}

const PERSISTENCE: Persistence = { begunMs: 1000, patienceMs: 60_000, pauseMs: 1000 };
/** The service was never reached, whenever that turns out. */
const NEVER_SENT = /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** The service goes on with the instance, or another process of it does. */
const GOES_ON = ["SHUTTING_DOWN", "INSTANCE_BUSY"];

/**
 * Creates an instance; answers once it is provisioned, however long that takes.
 * @param options.version number, digest or alias of the function's version; the newest when absent
 * @throws ServiceRefusal with CCFaaS's code and reason; ServiceError when it is away for too long
 */
export async function createInstance(
  { terminal, interrupted: signal }: Pick<Context, "terminal" | "interrupted">,
  ccfaas: CcfaasClient,
  asked: UserPolicyBody,
  options: { readonly version?: string; readonly persistence?: Persistence } = {},
): Promise<InstanceAnswer> {
  const { version, persistence = PERSISTENCE } = options;
  const id = asked.instanceid;
  const again = { idempotencyKey: randomUUID(), signal };
  const ask = async (): Promise<InstanceAnswer> => {
    if (version === undefined) return await ccfaas.createInstance(asked, again);
    await ccfaas.startInstance({ ...asked, function: `${asked.function}@${version}` }, again);
    return { instance: id, policy: await ccfaas.instancePolicy(id) };
  };
  const progress = terminal.progress(`starting and provisioning ${id}`);
  const done = new AbortController();
  void tellLoaded(ccfaas, id, progress, done.signal);
  try {
    return await persistently(ask, signal, persistence);
  } finally {
    done.abort();
    progress.end();
  }
}

/** What a person is told who gives up while an instance comes up. */
export function interruptedMeanwhile(id: string): CliError {
  return new CliError("CLI_INTERRUPTED", `interrupted while instance ${id} came up`, {
    hint: `it goes on without this command: holdfast instance show ${id}; to end it: holdfast instance delete ${id}`,
    exitCode: EXIT.interrupted,
  });
}

async function persistently<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  { begunMs, patienceMs, pauseMs }: Persistence,
): Promise<T> {
  let until: number | undefined;
  for (;;) {
    const begun = performance.now();
    try {
      return await ask();
    } catch (thrown) {
      const now = performance.now();
      const goesOn = thrown instanceof ServiceRefusal && GOES_ON.includes(thrown.code);
      const isAway = thrown instanceof ServiceError && thrown.code === "SERVICE_UNREACHABLE";
      const wasBegun = now - begun >= begunMs && !(isAway && wasNeverSent(thrown));
      if (wasBegun || (goesOn && until === undefined)) until = now + patienceMs;
      if (signal.aborted || !(goesOn || isAway) || now > (until ?? 0)) throw thrown;
    }
    await sleep(pauseMs, undefined, { signal });
  }
}

function wasNeverSent({ cause }: ServiceError): boolean {
  const fault = (cause as { cause?: unknown } | undefined)?.cause ?? cause;
  return NEVER_SENT.test(String((fault as { code?: unknown } | undefined)?.code));
}

async function tellLoaded(
  ccfaas: CcfaasClient,
  id: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(POLL_MS, undefined, { signal });
      const { bytes_loaded, bytes_total } = await ccfaas.describeInstance(id, { signal });
      progress.update(bytes_loaded, bytes_total);
    } catch {
      // Progress is not worth a failure.
    }
  }
}
