// Namespaces as resources. Who may read or change them must have the role in every namespace; what one's own namespace has
// is told to whoever may read in it.
import {
  DEFAULT_NAMESPACE,
  NAMESPACE_NAME,
  NamespaceBody,
  NamespaceChange,
  type NamespaceQuotaChange,
  type NamespaceResource,
  NamespaceResources,
  NamespaceResource as NamespaceSchema,
  NewNamespaceBody,
  PageQuery,
} from "@holdfast/contract";
import type { Clock } from "@holdfast/core";
import {
  type NamespaceRepository,
  type QuotaChange,
  type StoredNamespace,
  StoreError,
} from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { namespaceOf } from "./namespace.ts";
import { pageOf } from "./pages.ts";
import type { ServiceApp } from "./service-app.ts";

const Name = Type.Object({ namespace: Type.String() });
const config = { everywhere: true } as const;

/** What the routes work with. */
export interface NamespaceContext {
  readonly namespaces: NamespaceRepository;
  readonly clock: Clock;
}

/** Adds the routes. */
export function namespaceRoutes(app: ServiceApp, context: NamespaceContext): void {
  const { namespaces } = context;

  app.get(
    "/v1/namespace",
    {
      schema: {
        summary: "The namespace of this very base URL, with what is used of its quotas",
        response: { 200: NamespaceSchema },
      },
    },
    async (request) => resourceOf(context, await findNamespace(context, namespaceOf(request))),
  );

  app.get(
    "/v1/namespaces",
    {
      config,
      schema: {
        summary: "Namespaces in order of names",
        querystring: PageQuery,
        response: { 200: NamespaceResources },
      },
    },
    async ({ query }) => {
      const { items, next } = pageOf(await namespaces.list(), ({ name }) => name, query);
      const resources = await Promise.all(items.map((each) => resourceOf(context, each)));
      return { namespaces: resources, ...(next === undefined ? {} : { next }) };
    },
  );

  app.post(
    "/v1/namespaces",
    {
      config,
      schema: {
        summary: "Make a namespace",
        body: NewNamespaceBody,
        response: { 201: NamespaceSchema },
      },
    },
    async ({ body: { name, quotas = {} } }, reply) => {
      const made = { name, quotas: storedQuotas(quotas), createdAt: now(context) };
      await create(context, made);
      reply.code(201).header("location", `/v1/namespaces/${name}`);
      return resourceOf(context, made);
    },
  );

  app.get(
    "/v1/namespaces/:namespace",
    {
      config,
      schema: { summary: "One namespace", params: Name, response: { 200: NamespaceSchema } },
    },
    async ({ params }) => resourceOf(context, await findNamespace(context, params.namespace)),
  );

  app.put(
    "/v1/namespaces/:namespace",
    {
      config,
      schema: {
        summary: "Make a namespace unless it is there, and set all of its quotas",
        params: Name,
        body: NamespaceBody,
        response: { 200: NamespaceSchema, 201: NamespaceSchema },
      },
    },
    async ({ params: { namespace: name }, body: { quotas = {} } }, reply) => {
      refuseOddName(name);
      const lifted = { functions: null, instances: null, bytes: null, memoryMib: null };
      const changed = await namespaces.change(name, { ...lifted, ...storedQuotas(quotas) });
      if (changed !== undefined) return resourceOf(context, changed);
      const made = { name, quotas: storedQuotas(quotas), createdAt: now(context) };
      await create(context, made);
      reply.code(201);
      return resourceOf(context, made);
    },
  );

  app.patch(
    "/v1/namespaces/:namespace",
    {
      config,
      schema: {
        summary: "Change quotas: null lifts one, an absent one stays",
        params: Name,
        body: NamespaceChange,
        response: { 200: NamespaceSchema },
      },
    },
    async ({ params: { namespace: name }, body: { quotas } }) => {
      const changed = await namespaces.change(name, storedQuotas(quotas));
      if (changed === undefined) throw unknown(name);
      return resourceOf(context, changed);
    },
  );

  app.delete(
    "/v1/namespaces/:namespace",
    {
      config,
      schema: {
        summary: "Remove an empty namespace",
        params: Name,
        response: { 204: Type.Null() },
      },
    },
    async ({ params: { namespace: name } }, reply) => {
      await remove(context, name);
      return reply.code(204).send(null);
    },
  );
}

async function findNamespace(
  { namespaces }: NamespaceContext,
  name: string,
): Promise<StoredNamespace> {
  const found = await namespaces.find(name);
  if (found === undefined) throw unknown(name);
  return found;
}

async function create({ namespaces }: NamespaceContext, made: StoredNamespace): Promise<void> {
  try {
    await namespaces.create(made);
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== "STORE_CONFLICT") throw cause;
    throw new ControlError(409, "NAMESPACE_EXISTS", cause.message, { cause });
  }
}

async function remove({ namespaces }: NamespaceContext, name: string): Promise<void> {
  if (name === DEFAULT_NAMESPACE) {
    throw new ControlError(409, "NAMESPACE_IN_USE", `namespace ${name} is always there`);
  }
  const outcome = await namespaces.remove(name);
  if (outcome === "missing") throw unknown(name);
  if (outcome === "used") {
    const text = `namespace ${name} has functions, instances or keeps; remove them first`;
    throw new ControlError(409, "NAMESPACE_IN_USE", text);
  }
}

/** A body is checked by its schema; a path is not. */
function refuseOddName(name: string): void {
  if (NAMESPACE_NAME.test(name)) return;
  const text = "a namespace has 1 to 40 small letters, digits and dashes, no dash first or last";
  throw new ControlError(400, "NAMESPACE_INVALID", text);
}

function unknown(name: string): ControlError {
  return new ControlError(404, "NAMESPACE_UNKNOWN", `there is no namespace ${name}`);
}

function now({ clock }: NamespaceContext): string {
  return clock.now().toISOString();
}

function storedQuotas<T extends NamespaceQuotaChange>({ memory_mib, ...rest }: T): QuotasOf<T> {
  return { ...rest, ...(memory_mib === undefined ? {} : { memoryMib: memory_mib }) } as QuotasOf<T>;
}

/** Quotas without null stay so. */
type QuotasOf<T> = null extends T[keyof T] ? QuotaChange : StoredNamespace["quotas"];

async function resourceOf(
  { namespaces }: NamespaceContext,
  { name, quotas, createdAt }: StoredNamespace,
): Promise<NamespaceResource> {
  const { memoryMib: usedMemory, ...used } = await namespaces.usage(name);
  const { memoryMib, ...rest } = quotas;
  return {
    name,
    quotas: { ...rest, ...(memoryMib === undefined ? {} : { memory_mib: memoryMib }) },
    used: { ...used, memory_mib: usedMemory },
    created_at: createdAt,
  };
}
