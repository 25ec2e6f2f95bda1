// POST /instance: record the request with everything it needs, then bring it up step by step. Each step is recorded
// before the next begins, so that whoever finds the record later can go on from there.
import { randomUUID } from "node:crypto";
import type { UserPolicyBody } from "@holdfast/contract";
import { parseUserPolicy } from "@holdfast/policy";
import { type StoredInstance, StoreError } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import { bringUp } from "./bring-up.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import { definedFiles, definitionOf, missingFiles } from "./function-files.ts";
import { findFunction } from "./function-routes.ts";

/**
 * Makes an instance and answers once it is ready.
 * @throws PolicyError; ControlError FUNCTION_NOT_FOUND, FUNCTION_INCOMPLETE, INSTANCE_EXISTS, and those of bringing up
 */
export async function createInstance(
  context: CcfaasContext,
  body: UserPolicyBody,
): Promise<StoredInstance> {
  const userPolicy = parseUserPolicy(body);
  const found = await findFunction(context, userPolicy.function);
  const definition = definitionOf(found);
  const stored = await context.store.functions.files(found.id);
  const missing = missingFiles(definition, stored).filter(({ kind }) => kind === "data_file");
  // A function of which nothing is stored is loaded by its users; of one that CCFaaS loads, nothing may be missing.
  if (stored.length > 0 && missing.length > 0) {
    throw new ControlError(
      409,
      "FUNCTION_INCOMPLETE",
      `function ${found.name} still misses ${missing.map(({ path }) => path).join(", ")}`,
    );
  }
  const loads = definedFiles(definition).flatMap(({ path, priority }, position) => {
    const file = stored.find((each) => each.path === path);
    return file === undefined
      ? []
      : [{ path, priority, position, sha256: file.sha256, size: file.size }];
  });
  const key = randomUUID();
  try {
    await context.store.instances.create({
      key,
      id: userPolicy.instanceid,
      functionName: found.name,
      functionDefinition: found.definition,
      userPolicy: JSON.stringify(userPolicy),
      requestKey: key,
      createdAt: timestamp(context),
      loads,
    });
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    throw new ControlError(
      409,
      "INSTANCE_EXISTS",
      `Could not create instance already exists ${userPolicy.instanceid}`,
      { cause },
    );
  }
  return await context.works.run(key, (signal) => bringUp(context, key, signal));
}
