// Functions as resources under /v1: state, pages, idempotency, files by their path.
import {
  FetchBody,
  FunctionBody,
  type FunctionResource,
  FunctionResources,
  FunctionResource as FunctionSchema,
  PageQuery,
} from "@holdfast/contract";
import type { FunctionFileRecord, StoredFunction, StoredRevision } from "@holdfast/store";
import { Type } from "typebox";
import { callerLeft } from "../http/caller-left.ts";
import { IdempotencyKey } from "../http/headers.ts";
import { locationOf } from "../http/namespace.ts";
import { pageOf } from "../http/pages.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { type CcfaasContext, type CcfaasParts, contextOf } from "./context.ts";
import { fetchFile } from "./fetch-file.ts";
import { definedFiles, definitionOf, missingFiles } from "./function-files.ts";
import { findFunction, registerFunction, removeFunction } from "./register-function.ts";

const Name = Type.Object({ name: Type.String() });
const ListQuery = Type.Interface([PageQuery], {
  state: Type.Optional(FunctionSchema.properties.state),
});

/** Adds the routes. */
export function v1FunctionRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.get(
    "/v1/functions",
    {
      schema: {
        summary: "Functions in order of names",
        querystring: ListQuery,
        response: { 200: FunctionResources },
      },
    },
    async (request) => {
      const { query } = request;
      const context = contextOf(parts, request);
      const { functions } = context.store;
      const found = await functions.listIn(context.namespace);
      const files = await functions.filesOf(found.map(({ head }) => head.id));
      const all = found.map((each) => resourceFrom(each, files.get(each.head.id) ?? []));
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
    async (request, reply) => {
      const context = contextOf(parts, request);
      const key = request.headers["idempotency-key"];
      const found = await registerFunction(context, request.body, key);
      const path = `/v1/functions/${encodeURIComponent(found.name)}`;
      reply.code(201).header("location", locationOf(request, path));
      return resourceOf(context, found);
    },
  );

  app.get(
    "/v1/functions/:name",
    { schema: { summary: "One function", params: Name, response: { 200: FunctionSchema } } },
    async (request) => {
      const context = contextOf(parts, request);
      return resourceOf(context, await findFunction(context, request.params.name));
    },
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
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { name } = request.params;
      const { head } = await findFunction(context, name);
      await fetchFile(context, { name, revision: head }, request.body, callerLeft(reply.raw));
      return resourceOf(context, await findFunction(context, name));
    },
  );

  app.delete(
    "/v1/functions/:name",
    { schema: { summary: "Remove a function", params: Name, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await removeFunction(contextOf(parts, request), request.params.name);
      return reply.code(204).send(null);
    },
  );
}

async function resourceOf(
  { store }: CcfaasContext,
  found: StoredFunction,
): Promise<FunctionResource> {
  return resourceFrom(found, await store.functions.files(found.head.id));
}

function resourceFrom(
  { name, head, draft, createdAt }: StoredFunction,
  stored: readonly FunctionFileRecord[],
): FunctionResource {
  const { files, missing } = filesFrom(head, stored);
  const isUntouched = files.every(({ stored }) => !stored);
  return {
    name,
    state: missing.length === 0 ? "provisioned" : isUntouched ? "defined" : "incomplete",
    missing,
    files,
    ...(head.version === undefined ? {} : { version: head.version }),
    digest: `sha256:${head.digest}`,
    has_draft: draft !== undefined,
    created_at: createdAt,
  };
}

interface RevisionFiles {
  files: FunctionResource["files"];
  missing: string[];
}

/** The files of a revision, and the paths of those that are not stored. */
export async function filesOf(
  { store }: CcfaasContext,
  revision: StoredRevision,
): Promise<RevisionFiles> {
  return filesFrom(revision, await store.functions.files(revision.id));
}

function filesFrom(revision: StoredRevision, stored: readonly FunctionFileRecord[]): RevisionFiles {
  const policy = definitionOf(revision);
  const files = definedFiles(policy).map(({ path, kind, sha256, input }) => {
    const file = stored.find((each) => each.path === path);
    const size = file === undefined ? {} : { size: file.size };
    const source = input === undefined ? {} : { source: input.source };
    return { path, kind, sha256, stored: file !== undefined, ...size, ...source };
  });
  return { files, missing: missingFiles(policy, stored).map(({ path }) => path) };
}
