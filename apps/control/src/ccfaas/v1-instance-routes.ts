// Instances as resources under /v1: state and progress, pages and filters, creation that need not be waited for.
import {
  type InstanceResource,
  InstanceResources,
  InstanceResource as InstanceSchema,
  InstanceState,
  NewInstanceBody,
  PageQuery,
} from "@holdfast/contract";
import type { InstanceEntry, Load, StoredInstance } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { CreationHeaders, prefersAsync } from "../http/headers.ts";
import { locationOf } from "../http/namespace.ts";
import { pageOf } from "../http/pages.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { chooseRevision } from "./choose-revision.ts";
import { type CcfaasContext, type CcfaasParts, contextOf, UNFINISHED } from "./context.ts";
import { createInstance } from "./create-instance.ts";
import { endInstance } from "./end-instance.ts";
import { findInstance } from "./instance-routes.ts";

const Name = Type.Object({ name: Type.String() });
const ListQuery = Type.Interface([PageQuery], {
  state: Type.Optional(InstanceState),
  function: Type.Optional(Type.String()),
});
const WaitQuery = Type.Object({
  /** Seconds to wait for the end of a state that will not last. */
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60 })),
});

/** Adds the routes. */
export function v1InstanceRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.get(
    "/v1/instances",
    {
      schema: {
        summary: "Instances in order of ids, those that ended or failed lately included",
        querystring: ListQuery,
        response: { 200: InstanceResources },
      },
    },
    async (request) => {
      const { query } = request;
      const context = contextOf(parts, request);
      const wanted = await context.store.instances.listIn(context.namespace, {
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.function === undefined ? {} : { functionName: query.function }),
      });
      const { items, next } = pageOf(wanted, ({ id }) => id, query);
      const instances = items.map(resourceFrom);
      return { instances, ...(next === undefined ? {} : { next }) };
    },
  );

  app.post(
    "/v1/instances",
    {
      config: { role: "user" },
      schema: {
        summary: "Make an instance; with `Prefer: respond-async` the answer comes at once",
        body: NewInstanceBody,
        headers: CreationHeaders,
        response: { 201: InstanceSchema, 202: InstanceSchema },
      },
    },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const key = request.headers["idempotency-key"];
      const { version, ...policy } = request.body;
      if (version !== undefined) policy.function = `${policy.function}@${version}`;
      const { instance, done } = await createInstance(context, policy, {
        choose: chooseRevision,
        ...(key === undefined ? {} : { idempotencyKey: key }),
      });
      const path = `/v1/instances/${encodeURIComponent(instance.id)}`;
      reply.header("location", locationOf(request, path));
      if (prefersAsync(request.headers.prefer)) {
        reply.code(202).header("preference-applied", "respond-async");
        return resourceOf(context, instance);
      }
      reply.code(201);
      return resourceOf(context, await done);
    },
  );

  app.get(
    "/v1/instances/:name",
    {
      schema: {
        summary: "One instance; with `wait` answered once its state lasts",
        params: Name,
        querystring: WaitQuery,
        response: { 200: InstanceSchema },
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const { name } = request.params;
      await untilStateLasts(context, name, request.query.wait ?? 0);
      return resourceOf(context, await findInstance(context, name));
    },
  );

  app.get(
    "/v1/instances/:name/policy",
    {
      schema: {
        summary: "The exact text of the policy that the instance's keep runs",
        params: Name,
        produces: "text/plain",
      },
    },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { id, state, policy } = await findInstance(context, request.params.name);
      if (policy === undefined) {
        throw new ControlError(409, "INSTANCE_NOT_READY", `instance ${id} is ${state}`);
      }
      return reply.type("text/plain; charset=utf-8").send(policy);
    },
  );

  app.delete(
    "/v1/instances/:name",
    {
      config: { role: "user" },
      schema: {
        summary: "End an instance and its keep",
        params: Name,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const context = contextOf(parts, request);
      await endInstance(context, await findInstance(context, request.params.name));
      return reply.code(204).send(null);
    },
  );
}

async function untilStateLasts(
  { store, works, namespace }: CcfaasContext,
  id: string,
  seconds: number,
): Promise<void> {
  const enough = AbortSignal.any([works.shutdown, AbortSignal.timeout(seconds * 1000)]);
  while (seconds > 0 && !enough.aborted) {
    const state = (await store.instances.find(namespace, id))?.state;
    if (state === undefined || (state !== "ending" && !UNFINISHED.includes(state))) return;
    await store.events.next(enough);
  }
}

async function resourceOf(
  { store, fetching }: CcfaasContext,
  instance: StoredInstance,
): Promise<InstanceResource> {
  const loads = await store.instances.loads(instance.key);
  const sum = (some: readonly Load[]): number => some.reduce((all, { size }) => all + size, 0);
  const loadedBytes = sum(loads.filter(({ loaded }) => loaded)) + (fetching.get(instance.key) ?? 0);
  return resourceFrom({ ...instance, bytes: sum(loads), loadedBytes });
}

function resourceFrom(entry: InstanceEntry): InstanceResource {
  const { version, reason, keepName } = entry;
  const resource: InstanceResource = {
    id: entry.id,
    function: entry.functionName,
    state: entry.state,
    bytes_loaded: entry.loadedBytes,
    bytes_total: entry.bytes,
    created_at: entry.createdAt,
    updated_at: entry.updatedAt,
  };
  if (version !== undefined) resource.version = version;
  if (reason !== undefined) resource.reason = reason;
  if (keepName !== undefined) resource.keep = keepName;
  return resource;
}
