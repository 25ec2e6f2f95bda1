// POST /instance: record the request with everything it needs, then bring it up step by step. Each step is recorded
// before the next begins, so that whoever finds the record later can go on from there.
import { randomUUID } from "node:crypto";
import type { UserPolicyBody } from "@holdfast/contract";
import { parseUserPolicy, type UserPolicy } from "@holdfast/policy";
import { type NewInstance, type StoredInstance, StoreError } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { bringUp } from "./bring-up.ts";
import { type ChosenRevision, chooseHead } from "./choose-revision.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import { definedFiles, definitionOf, missingFiles } from "./function-files.ts";
import { untilSettled } from "./until-settled.ts";

/** Options of a creation. */
export interface CreateOptions {
  /** How the function's name is read: as its newest by default. */
  readonly choose?: typeof chooseHead;
  /** Asked again with the same key it is the same instance. */
  readonly idempotencyKey?: string;
}

/** A request that is recorded, and its completion. */
export interface Creation {
  readonly instance: StoredInstance;
  /** Resolves when the instance is ready, rejects when it is not to be. */
  readonly done: Promise<StoredInstance>;
}

/**
 * Records a request for an instance and begins to bring it up.
 * @throws PolicyError; ControlError FUNCTION_NOT_FOUND, FUNCTION_INCOMPLETE, INSTANCE_EXISTS, IDEMPOTENCY_KEY_REUSED;
 *   StoreError STORE_QUOTA, STORE_GONE;
 *   `done` rejects with those of bringing up
 */
export async function createInstance(
  context: CcfaasContext,
  body: UserPolicyBody,
  { idempotencyKey, choose = chooseHead }: CreateOptions = {},
): Promise<Creation> {
  const userPolicy = parseUserPolicy(body);
  const earlier = await findEarlier(context, userPolicy, idempotencyKey);
  if (earlier !== undefined) return joined(context, earlier);
  const chosen = await choose(context, userPolicy.function);
  const { revision } = chosen;
  const loads = await plan(context, chosen);
  const key = randomUUID();
  try {
    await context.store.instances.create({
      key,
      namespace: context.namespace,
      id: userPolicy.instanceid,
      functionName: chosen.name,
      functionDefinition: revision.definition,
      revisionId: revision.id,
      ...(revision.version === undefined ? {} : { version: revision.version }),
      userPolicy: JSON.stringify(userPolicy),
      requestKey: key,
      createdAt: timestamp(context),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      lease: context.works.lease(),
      loads,
    });
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== "STORE_CONFLICT") throw cause;
    const other = await findEarlier(context, userPolicy, idempotencyKey);
    if (other !== undefined) return joined(context, other);
    throw new ControlError(
      409,
      "INSTANCE_EXISTS",
      `Could not create instance already exists ${userPolicy.instanceid}`,
      { cause },
    );
  }
  const done = context.works.run(key, (signal) => bringUp(context, key, signal));
  // Whoever does not wait for it does not hear of it either; the record says what became of it.
  done.catch(() => undefined);
  return { instance: await current(context, key), done };
}

async function findEarlier(
  { store, namespace }: CcfaasContext,
  userPolicy: UserPolicy,
  idempotencyKey: string | undefined,
): Promise<StoredInstance | undefined> {
  if (idempotencyKey === undefined) return undefined;
  const earlier = await store.instances.findByIdempotencyKey(namespace, idempotencyKey);
  if (earlier === undefined || earlier.userPolicy === JSON.stringify(userPolicy)) return earlier;
  throw new ControlError(
    422,
    "IDEMPOTENCY_KEY_REUSED",
    "this idempotency key was used for another request",
  );
}

function joined(context: CcfaasContext, instance: StoredInstance): Creation {
  const done = untilSettled(context, instance.key);
  done.catch(() => undefined);
  return { instance, done };
}

/** What is to be loaded; nothing that CCFaaS is to load may be missing. */
async function plan(
  { store }: CcfaasContext,
  { name, revision }: ChosenRevision,
): Promise<NewInstance["loads"]> {
  const definition = definitionOf(revision);
  const stored = await store.functions.files(revision.id);
  const missing = missingFiles(definition, stored).filter(({ kind }) => kind === "data_file");
  // A function of which nothing is stored is loaded by its users.
  if (stored.length > 0 && missing.length > 0) {
    throw new ControlError(
      409,
      "FUNCTION_INCOMPLETE",
      `function ${name} still misses ${missing.map(({ path }) => path).join(", ")}`,
    );
  }
  return definedFiles(definition).flatMap(({ path, priority, sha256, input }, position) => {
    // What the keep fetches itself is waited for, as what is loaded is: its progress is the instance's.
    const file = input ?? stored.find((each) => each.path === path);
    return file === undefined ? [] : [{ path, priority, position, sha256, size: file.size }];
  });
}

async function current({ store }: CcfaasContext, key: string): Promise<StoredInstance> {
  const instance = await store.instances.findByKey(key);
  if (instance !== undefined) return instance;
  throw new ControlError(409, "INSTANCE_ENDED", "the instance was deleted while it came up");
}
