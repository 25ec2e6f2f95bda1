// The seed's routes of functions, and what is known of them under /v1.
import { randomUUID } from "node:crypto";
import {
  FunctionBody,
  type FunctionResource,
  FunctionResource as FunctionResourceSchema,
} from "@holdfast/contract";
import { parseFunctionPolicy } from "@holdfast/policy";
import { type StoredFunction, StoreError } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { sendJson, sendParagraph } from "../http/answers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import { definedFiles, definitionOf, missingFiles } from "./function-files.ts";

const Name = Type.Object({ name: Type.String() });

/** Adds the routes of functions. */
export function functionRoutes(app: ServiceApp, context: CcfaasContext): void {
  const { store } = context;

  app.get("/function", async (_request, reply) => {
    const functions = await store.functions.list();
    return sendJson(reply, { functions: functions.map(({ name }) => name) });
  });

  app.post("/function", { schema: { body: FunctionBody } }, async ({ body }, reply) => {
    const { function: name } = parseFunctionPolicy(body);
    try {
      // The definition is kept as it came: its echo is what was sent.
      await store.functions.create({
        id: randomUUID(),
        name,
        definition: JSON.stringify(body),
        createdAt: timestamp(context),
      });
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      throw new ControlError(
        409,
        "FUNCTION_EXISTS",
        `Could not create the function ${name}: it exists already`,
        { cause },
      );
    }
    return sendJson(reply, body);
  });

  app.get("/function/:name", { schema: { params: Name } }, async ({ params }, reply) => {
    const found = await findFunction(context, params.name);
    return sendJson(reply, JSON.parse(found.definition));
  });

  app.delete("/function/:name", { schema: { params: Name } }, async ({ params }, reply) => {
    if (!(await store.functions.remove(params.name))) {
      throw functionNotFound(`Function '${params.name}' does not exist`);
    }
    await store.collectBlobs();
    return sendParagraph(reply, `Function ${params.name} deleted`);
  });

  app.get("/v1/functions", async () => ({
    functions: await Promise.all(
      (await store.functions.list()).map((found) => resourceOf(context, found)),
    ),
  }));

  app.get(
    "/v1/functions/:name",
    { schema: { params: Name, response: { 200: FunctionResourceSchema } } },
    async ({ params }) => resourceOf(context, await findFunction(context, params.name)),
  );
}

/** @throws ControlError FUNCTION_NOT_FOUND */
export async function findFunction(
  { store }: CcfaasContext,
  name: string,
): Promise<StoredFunction> {
  const found = await store.functions.find(name);
  if (found === undefined) throw functionNotFound(`function ${name} not found`);
  return found;
}

async function resourceOf(
  { store }: CcfaasContext,
  found: StoredFunction,
): Promise<FunctionResource> {
  const policy = definitionOf(found);
  const stored = await store.functions.files(found.id);
  const missing = missingFiles(policy, stored);
  return {
    name: found.name,
    state: missing.length === 0 ? "provisioned" : stored.length === 0 ? "defined" : "incomplete",
    missing: missing.map(({ path }) => path),
    files: definedFiles(policy).map(({ path, kind, sha256 }) => {
      const file = stored.find((each) => each.path === path);
      return {
        path,
        kind,
        sha256,
        stored: file !== undefined,
        ...(file === undefined ? {} : { size: file.size }),
      };
    }),
    created_at: found.createdAt,
  };
}

function functionNotFound(message: string): ControlError {
  return new ControlError(404, "FUNCTION_NOT_FOUND", message);
}
