// Functions as resources under /v1: state, pages, idempotency, files by their path.
import {
  FetchBody,
  FunctionBody,
  type FunctionResource,
  FunctionResources,
  FunctionResource as FunctionSchema,
  PageQuery,
} from "@holdfast/contract";
import type { StoredFunction } from "@holdfast/store";
import { Type } from "typebox";
import { IdempotencyKey } from "../http/headers.ts";
import { pageOf } from "../http/pages.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { CcfaasContext } from "./context.ts";
import { fetchFile } from "./fetch-file.ts";
import { definedFiles, definitionOf, missingFiles } from "./function-files.ts";
import { findFunction, registerFunction, removeFunction } from "./register-function.ts";

const Name = Type.Object({ name: Type.String() });
const ListQuery = Type.Interface([PageQuery], {
  state: Type.Optional(FunctionSchema.properties.state),
});

/** Adds the routes. */
export function v1FunctionRoutes(app: ServiceApp, context: CcfaasContext): void {
  app.get(
    "/v1/functions",
    {
      schema: {
        summary: "Functions in order of names",
        querystring: ListQuery,
        response: { 200: FunctionResources },
      },
    },
    async ({ query }) => {
      const all = await Promise.all(
        (await context.store.functions.list()).map((found) => resourceOf(context, found)),
      );
      const wanted = all.filter(({ state }) => query.state === undefined || state === query.state);
      const { items, next } = pageOf(wanted, ({ name }) => name, query);
      return { functions: [...items], ...(next === undefined ? {} : { next }) };
    },
  );

  app.post(
    "/v1/functions",
    {
      schema: {
        summary: "Register a function",
        body: FunctionBody,
        headers: IdempotencyKey,
        response: { 201: FunctionSchema },
      },
    },
    async ({ body, headers }, reply) => {
      const found = await registerFunction(context, body, headers["idempotency-key"]);
      reply.code(201).header("location", `/v1/functions/${encodeURIComponent(found.name)}`);
      return resourceOf(context, found);
    },
  );

  app.get(
    "/v1/functions/:name",
    { schema: { summary: "One function", params: Name, response: { 200: FunctionSchema } } },
    async ({ params }) => resourceOf(context, await findFunction(context, params.name)),
  );

  app.post(
    "/v1/functions/:name/fetch",
    {
      schema: {
        summary: "Fetch one of its files from where it is, checked against its digest",
        params: Name,
        body: FetchBody,
        response: { 200: FunctionSchema },
      },
    },
    async ({ params, body }, reply) => {
      const found = await findFunction(context, params.name);
      const left = new AbortController();
      reply.raw.once("close", () => left.abort());
      await fetchFile(context, found, body, left.signal);
      return resourceOf(context, found);
    },
  );

  app.delete(
    "/v1/functions/:name",
    { schema: { summary: "Remove a function", params: Name, response: { 204: Type.Null() } } },
    async ({ params }, reply) => {
      await removeFunction(context, params.name);
      return reply.code(204).send(null);
    },
  );
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
