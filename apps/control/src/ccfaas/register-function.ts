// Registers, finds and removes functions.
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { FunctionBody } from "@holdfast/contract";
import { parseFunctionPolicy } from "@holdfast/policy";
import { type StoredFunction, StoreError } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasContext, timestamp } from "./context.ts";

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
  const made = {
    id: randomUUID(),
    name,
    definition: JSON.stringify(body),
    createdAt: timestamp(context),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  const earlier = await findEarlier(context, body, idempotencyKey);
  if (earlier !== undefined) return earlier;
  try {
    await context.store.functions.create(made);
    return made;
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    const other = await findEarlier(context, body, idempotencyKey);
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
  { store }: CcfaasContext,
  name: string,
): Promise<StoredFunction> {
  const found = await store.functions.find(name);
  if (found !== undefined) return found;
  throw new ControlError(404, "FUNCTION_NOT_FOUND", `function ${name} not found`);
}

/**
 * Removes a function with its files; running instances have theirs in their keeps.
 * @throws ControlError FUNCTION_NOT_FOUND
 */
export async function removeFunction(context: CcfaasContext, name: string): Promise<void> {
  if (!(await context.store.functions.remove(name, timestamp(context)))) {
    throw new ControlError(404, "FUNCTION_NOT_FOUND", `Function '${name}' does not exist`);
  }
  await collectBlobs(context);
}

async function findEarlier(
  { store }: CcfaasContext,
  body: FunctionBody,
  idempotencyKey: string | undefined,
): Promise<StoredFunction | undefined> {
  if (idempotencyKey === undefined) return undefined;
  const earlier = await store.functions.findByIdempotencyKey(idempotencyKey);
  if (earlier === undefined || isDeepStrictEqual(JSON.parse(earlier.definition), body)) {
    return earlier;
  }
  throw new ControlError(
    422,
    "IDEMPOTENCY_KEY_REUSED",
    "this idempotency key was used for another request",
  );
}
