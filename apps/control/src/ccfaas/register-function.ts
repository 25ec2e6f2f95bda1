// Registers, finds and removes functions.
import { randomUUID } from "node:crypto";
import type { FunctionBody } from "@holdfast/contract";
import { parseFunctionPolicy } from "@holdfast/policy";
import { type NewRevision, type StoredFunction, StoreError } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import { revisionFrom } from "./new-revision.ts";

/**
 * Registers a function. The definition is kept as it came: its echo is what was sent.
 * @param idempotencyKey asked again with the same key it is the same function
 * @throws PolicyError; ControlError FUNCTION_EXISTS, IDEMPOTENCY_KEY_REUSED
 */
export async function registerFunction(
  context: CcfaasContext,
  body: FunctionBody,
  idempotencyKey?: string,
): Promise<StoredFunction> {
  const { function: name } = parseFunctionPolicy(body);
  const { store, namespace } = context;
  const revision = revisionFrom(body);
  const earlier = await findEarlier(context, revision, idempotencyKey);
  if (earlier !== undefined) return earlier;
  try {
    await store.functions.create({
      id: randomUUID(),
      namespace,
      name,
      revision,
      createdAt: timestamp(context),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    return await findFunction(context, name);
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== "STORE_CONFLICT") throw cause;
    const other = await findEarlier(context, revision, idempotencyKey);
    if (other !== undefined) return other;
    throw new ControlError(
      409,
      "FUNCTION_EXISTS",
      `Could not create the function ${name}: it exists already`,
      { cause },
    );
  }
}

/** @throws ControlError FUNCTION_NOT_FOUND */
export async function findFunction(
  { store, namespace }: CcfaasContext,
  name: string,
): Promise<StoredFunction> {
  const found = await store.functions.find(namespace, name);
  if (found !== undefined) return found;
  throw new ControlError(404, "FUNCTION_NOT_FOUND", `function ${name} not found`);
}

/**
 * Removes a function with all of its versions; running instances have what they need in their keeps.
 * @throws ControlError FUNCTION_NOT_FOUND
 */
export async function removeFunction(context: CcfaasContext, name: string): Promise<void> {
  const { store, namespace } = context;
  if (!(await store.functions.remove(namespace, name, timestamp(context)))) {
    throw new ControlError(404, "FUNCTION_NOT_FOUND", `Function '${name}' does not exist`);
  }
  await collectBlobs(context);
}

async function findEarlier(
  { store, namespace }: CcfaasContext,
  { digest }: NewRevision,
  idempotencyKey: string | undefined,
): Promise<StoredFunction | undefined> {
  if (idempotencyKey === undefined) return undefined;
  const earlier = await store.functions.findByIdempotencyKey(namespace, idempotencyKey);
  if (earlier === undefined || earlier.registered === digest) return earlier;
  throw new ControlError(
    422,
    "IDEMPOTENCY_KEY_REUSED",
    "this idempotency key was used for another request",
  );
}
