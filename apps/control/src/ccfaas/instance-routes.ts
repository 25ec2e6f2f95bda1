// The seed's routes of instances, and what is known of them under /v1.
import {
  type InstanceResource,
  InstanceResource as InstanceResourceSchema,
  InstanceResources,
  UserPolicyBody,
} from "@holdfast/contract";
import type { StoredInstance } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { sendJson, sendParagraph } from "../http/answers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { CcfaasContext } from "./context.ts";
import { createInstance } from "./create-instance.ts";
import { endInstance } from "./end-instance.ts";

const Name = Type.Object({ name: Type.String() });

/** Adds the routes of instances. */
export function instanceRoutes(app: ServiceApp, context: CcfaasContext): void {
  const { store } = context;

  app.get("/instance", async (_request, reply) => {
    const living = (await store.instances.list()).filter((each) => !isOver(each));
    return sendJson(reply, { instances: living.map(({ id }) => id).sort() });
  });

  app.post("/instance", { schema: { body: UserPolicyBody } }, async ({ body }, reply) => {
    const instance = await createInstance(context, body);
    return sendJson(reply, { instance: instance.id, policy: instance.policy });
  });

  app.get("/instance/:name", { schema: { params: Name } }, async ({ params }, reply) => {
    const instance = await find(context, params.name);
    if (instance.state !== "ready") {
      const why = instance.reason === undefined ? "" : `: ${instance.reason}`;
      throw new ControlError(
        404,
        "INSTANCE_NOT_READY",
        `Veracruz instance '${instance.id}' is ${instance.state}${why}`,
      );
    }
    return sendJson(reply, { instance: instance.id, policy: instance.policy });
  });

  app.delete("/instance/:name", { schema: { params: Name } }, async ({ params }, reply) => {
    await endInstance(context, await find(context, params.name));
    return sendParagraph(reply, `instance ${params.name} deleted`);
  });

  app.get("/v1/instances", { schema: { response: { 200: InstanceResources } } }, async () => ({
    instances: await Promise.all(
      (await store.instances.list()).map((instance) => resourceOf(context, instance)),
    ),
  }));

  app.get(
    "/v1/instances/:name",
    { schema: { params: Name, response: { 200: InstanceResourceSchema } } },
    async ({ params }) => resourceOf(context, await find(context, params.name)),
  );
}

async function find({ store }: CcfaasContext, id: string): Promise<StoredInstance> {
  const instance = await store.instances.find(id);
  if (instance !== undefined) return instance;
  throw new ControlError(404, "INSTANCE_NOT_FOUND", `Veracruz instance '${id}' does not exist!`);
}

async function resourceOf(
  { store }: CcfaasContext,
  instance: StoredInstance,
): Promise<InstanceResource> {
  const loads = await store.instances.loads(instance.key);
  const sum = (only: (load: { loaded: boolean }) => boolean): number =>
    loads.filter(only).reduce((total, { size }) => total + size, 0);
  return {
    id: instance.id,
    function: instance.functionName,
    state: instance.state,
    ...(instance.reason === undefined ? {} : { reason: instance.reason }),
    ...(instance.keepName === undefined ? {} : { keep: instance.keepName }),
    bytes_loaded: sum(({ loaded }) => loaded),
    bytes_total: sum(() => true),
    created_at: instance.createdAt,
    updated_at: instance.updatedAt,
  };
}

function isOver({ state }: StoredInstance): boolean {
  return state === "ended" || state === "failed";
}
