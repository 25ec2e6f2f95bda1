// Asks VaaS for a keep and takes nothing on trust: the policy that comes back must be the one that was asked for, with
// nothing but the infrastructure added.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ServiceError, ServiceRefusal, type VeracruzCreated } from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import {
  composeVaasPolicy,
  instanceHash,
  parsePolicy,
  parseUserPolicy,
  type VaasPolicy,
} from "@holdfast/policy";
import type { StoredInstance } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { CcfaasContext } from "./context.ts";
import { definitionOf } from "./function-files.ts";

/** What is known of a keep once it serves. */
export interface RequestedKeep {
  readonly policy: string;
  readonly keepName: string;
  readonly keepHash: string;
}

/** Waits between two questions to a VaaS that does not answer, the first, doubled up to the last. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

/**
 * Asks for the keep of an instance; asked again it is the same keep. A VaaS that does not answer is asked again for a while:
 * it may be starting.
 * @param signal ends that while
 * @throws ControlError VAAS_UNREACHABLE, VAAS_REFUSED, VAAS_ANSWER
 */
export async function requestKeep(
  context: CcfaasContext,
  instance: StoredInstance,
  signal: AbortSignal,
): Promise<RequestedKeep> {
  const loads = await context.store.instances.loads(instance.key);
  const asked = composeVaasPolicy({
    functionPolicy: definitionOf({ definition: instance.functionDefinition }),
    userPolicy: parseUserPolicy(JSON.parse(instance.userPolicy)),
    instanceId: instance.id,
    ...(loads.length === 0 ? {} : { loaderCertificatePem: context.loader.certificatePem }),
  });
  const created = await ask(context, asked, instance.requestKey, signal);
  return await check(context, asked, created);
}

async function ask(
  context: CcfaasContext,
  asked: VaasPolicy,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<VeracruzCreated> {
  const { vaas, works } = context;
  // The contract's type has mutable arrays; nothing is changed.
  const body = structuredClone(asked) as Parameters<typeof vaas.create>[0];
  const end = performance.now() + context.vaasPatienceMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      // A deletion waits for the answer: a request that was cut off could still make a keep that nobody knows.
      return await vaas.create(body, { idempotencyKey, signal: works.shutdown });
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal.code !== "VAAS_UNREACHABLE" || performance.now() + wait > end) throw refusal;
      await sleep(wait, undefined, { signal: AbortSignal.any([signal, works.shutdown]) });
    }
  }
}

function refusalOf(thrown: unknown): ControlError {
  if (thrown instanceof ServiceRefusal) return passedOn(thrown);
  if (!(thrown instanceof ServiceError)) throw thrown;
  const code = thrown.code === "SERVICE_UNREACHABLE" ? "VAAS_UNREACHABLE" : "VAAS_ANSWER";
  const text = `Error accessing the vaas_server ${thrown.message}`;
  return new ControlError(502, code, text, { cause: thrown });
}

/** What the user can mend, or wait for, keeps its status and its time; anything else is a bad gateway. */
function passedOn(refusal: ServiceRefusal): ControlError {
  const { faults, retryAfterSeconds } = refusal;
  const status = [422, 503, 507].includes(refusal.status) ? refusal.status : 502;
  return new ControlError(
    status,
    "VAAS_REFUSED",
    `Error accessing the vaas_server response code was ${refusal.status}: ${refusal.message} (${refusal.code})`,
    {
      cause: refusal,
      ...(faults.length === 0 ? {} : { faults: [...faults] }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  );
}

async function check(
  { vaas }: CcfaasContext,
  asked: VaasPolicy,
  created: VeracruzCreated,
): Promise<RequestedKeep> {
  const { policy, instance_hash: keepHash } = created;
  try {
    // The name is asked for while the policy is looked through.
    const [{ name }] = await Promise.all([vaas.keep(keepHash), requireAsked(asked, created)]);
    return { policy, keepHash, keepName: name };
  } catch (cause) {
    throw new ControlError(
      502,
      "VAAS_ANSWER",
      `VaaS answered with a policy that was not asked for: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Throws unless a policy is what was asked for, with nothing but the infrastructure added, and its hash is its own. */
async function requireAsked(
  asked: VaasPolicy,
  { policy, instance_hash: keepHash }: VeracruzCreated,
): Promise<void> {
  parsePolicy(policy);
  const answered = JSON.parse(policy) as Record<string, unknown>;
  const { instance_id: _, ...members } = asked;
  for (const [name, value] of Object.entries(members)) {
    if (!isDeepStrictEqual(answered[name], value)) throw new Error(`${name} was changed`);
  }
  if (keepHash !== (await instanceHash(policy))) throw new Error("the hash is of another policy");
}
