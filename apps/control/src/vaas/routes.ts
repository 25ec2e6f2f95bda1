// The seed's routes of VaaS, and the keeps behind them under /v1.
import {
  KeepList,
  type KeepResource,
  KeepResource as KeepResourceSchema,
  KeepState,
  PageQuery,
  VaasPolicyBody,
  VeracruzCreated,
  VeracruzInstance,
  VeracruzList,
} from "@holdfast/contract";
import { parseVaasPolicy } from "@holdfast/policy";
import type { KeepEntry, StoredKeep } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { PARAGRAPH, sendJson, sendParagraph } from "../http/answers.ts";
import { IdempotencyKey } from "../http/headers.ts";
import { namespaceOf } from "../http/namespace.ts";
import { pageOf } from "../http/pages.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { INSTANCE_HOST, type VaasContext } from "./context.ts";
import { createKeep } from "./create-keep.ts";
import { endKeep } from "./end-keep.ts";
import { refuseEnded } from "./policy-end.ts";

const Filter = Type.Object({
  instance_id: Type.Optional(Type.String()),
  instance_hash: Type.Optional(Type.String()),
});
const ListQuery = Type.Interface([PageQuery], {
  request_key: Type.Optional(Type.String()),
  state: Type.Optional(KeepState),
  instance_id: Type.Optional(Type.String()),
  /** As `next` gave it: when a keep was made, and its id. */
  after: Type.Optional(Type.String({ pattern: "^[0-9]{4}-[-:.0-9T]{18,19}Z [-0-9a-f]{36}$" })),
});
const Name = Type.Object({ name: Type.String() });

/** Adds the routes of VaaS. */
export function vaasRoutes(app: ServiceApp, context: VaasContext): void {
  const listing = { schema: { querystring: Filter, answer: VeracruzList } };
  app.get("/veracruz", listing, async (request, reply) => {
    const all = await living(context, namespaceOf(request));
    const keeps = all.filter((keep) => matches(keep, request.query));
    return sendJson(reply, {
      veracruz: keeps.map((keep) => ({ [keep.name]: instanceOf(keep) })),
    });
  });

  app.post(
    "/veracruz",
    {
      config: { role: "operator" },
      schema: { body: VaasPolicyBody, headers: IdempotencyKey, answer: VeracruzCreated },
    },
    async (request, reply) => {
      const key = request.headers["idempotency-key"];
      const policy = parseVaasPolicy(request.body);
      refuseEnded(policy, context.clock.now());
      const keep = await createKeep(context, policy, {
        namespace: namespaceOf(request),
        ...(key === undefined ? {} : { requestKey: key }),
        isWanted: () => !reply.raw.destroyed,
      });
      return sendJson(reply, {
        instance_hash: keep.instanceHash,
        ...(keep.instanceId === undefined ? {} : { instance_id: keep.instanceId }),
        policy: keep.policy,
      });
    },
  );

  app.get(
    "/veracruz/:name",
    { schema: { params: Name, querystring: Filter, answer: VeracruzInstance } },
    async (request, reply) => {
      const { params, query } = request;
      const keep = await findByName(context, namespaceOf(request), params.name);
      if (!matches(keep, query)) throw notFound(params.name);
      return sendJson(reply, instanceOf(keep));
    },
  );

  app.delete(
    "/veracruz/:name",
    { config: { role: "operator" }, schema: { params: Name, querystring: Filter, ...PARAGRAPH } },
    async (request, reply) => {
      const { params, query } = request;
      const keep = await findByName(context, namespaceOf(request), params.name);
      // Names are used again: the hash says which keep is meant.
      const isMeant = query.instance_hash !== undefined && matches(keep, query);
      if (!isMeant) throw notFound(params.name);
      await endKeep(context, keep, "deleted");
      return sendParagraph(reply, `Veracruz instance '${params.name}' was removed`);
    },
  );

  app.get(
    "/v1/keeps",
    {
      schema: {
        summary: "Keeps, those that ended or failed lately included",
        querystring: ListQuery,
        response: { 200: KeepList },
      },
    },
    async (request) => {
      const { query } = request;
      const wanted = (await context.store.keeps.listIn(namespaceOf(request))).filter(
        ({ requestKey, state, instanceId }) =>
          (query.request_key === undefined || requestKey === query.request_key) &&
          (query.state === undefined || state === query.state) &&
          (query.instance_id === undefined || instanceId === query.instance_id),
      );
      // One hash may stand for several keeps, one after the other; the newest comes first.
      const nameOf = ({ createdAt, id }: KeepEntry): string => `${createdAt} ${id}`;
      const { items, next } = pageOf(wanted, nameOf, query, "descending");
      const keeps = items.map(resourceOf);
      return { keeps, ...(next === undefined ? {} : { next }) };
    },
  );

  app.get(
    "/v1/keeps/:hash",
    {
      schema: {
        summary: "The newest keep of an instance hash",
        params: Type.Object({ hash: Type.String() }),
        response: { 200: KeepResourceSchema },
      },
    },
    async (request) => {
      const { hash } = request.params;
      const keep = await context.store.keeps.findByHash(namespaceOf(request), hash);
      if (keep === undefined) throw notFound(hash);
      return resourceOf(keep);
    },
  );
}

async function living(context: VaasContext, namespace: string): Promise<StoredKeep[]> {
  const keeps = await context.store.keeps.livingIn(namespace);
  return keeps.sort((left, right) => (left.port ?? 0) - (right.port ?? 0));
}

/** As in the original the host is not looked at, save that there must be one. */
async function findByName(
  context: VaasContext,
  namespace: string,
  name: string,
): Promise<StoredKeep> {
  const port = /^[^:/\s]+:(\d{1,5})$/.exec(name)?.[1];
  if (port === undefined) {
    throw new ControlError(400, "NAME_INVALID", "name should be on the form <host>:<port>");
  }
  const keep = (await living(context, namespace)).find((each) => each.port === Number(port));
  if (keep === undefined) throw notFound(name);
  return keep;
}

/** Of a hash as many digits count as an instance's has, as in the original: SHA-256 of the policy names it as well. */
function matches(
  { instanceId, instanceHash }: StoredKeep,
  filter: { instance_id?: string; instance_hash?: string },
): boolean {
  const hash = filter.instance_hash?.slice(0, instanceHash.length);
  return (
    (filter.instance_id === undefined || filter.instance_id === instanceId) &&
    (hash === undefined || hash === instanceHash)
  );
}

function instanceOf({ instanceId, instanceHash, state }: StoredKeep): VeracruzInstance {
  return {
    instance_hash: instanceHash,
    ...(instanceId === undefined ? {} : { instance_id: instanceId }),
    status: state === "serving" ? "OK" : state,
  };
}

function resourceOf(keep: KeepEntry): KeepResource {
  return {
    name: keep.name,
    state: keep.state,
    ...(keep.reason === undefined ? {} : { reason: keep.reason }),
    instance_hash: keep.instanceHash,
    ...(keep.instanceId === undefined ? {} : { instance_id: keep.instanceId }),
    address: keep.name.replace(INSTANCE_HOST, keep.host),
    max_memory_mib: keep.maxMemoryMib,
    ...(keep.platform === undefined ? {} : { platform: keep.platform }),
    ...(keep.simulated === undefined ? {} : { simulated: keep.simulated }),
    ...(keep.measurement === undefined ? {} : { measurement: keep.measurement }),
    created_at: keep.createdAt,
    updated_at: keep.updatedAt,
  };
}

function notFound(name: string): ControlError {
  return new ControlError(404, "KEEP_NOT_FOUND", `Veracruz instance '${name}' does not exist!`);
}
