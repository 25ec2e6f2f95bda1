// The seed's routes of instances.
import { InstanceAnswer, InstanceList, UserPolicyBody } from "@holdfast/contract";
import type { StoredInstance } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { PARAGRAPH, sendJson, sendParagraph } from "../http/answers.ts";
import { IdempotencyKey } from "../http/headers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { type CcfaasContext, type CcfaasParts, contextOf } from "./context.ts";
import { createInstance } from "./create-instance.ts";
import { endInstance } from "./end-instance.ts";

const forUsers = { config: { role: "user" } } as const;
const Name = Type.Object({ name: Type.String() });

/** Adds the routes of instances. */
export function instanceRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.get("/instance", { schema: { answer: InstanceList } }, async (request, reply) => {
    const { store, namespace } = contextOf(parts, request);
    return sendJson(reply, { instances: (await store.instances.livingIds(namespace)).sort() });
  });

  const creation = {
    ...forUsers,
    schema: { body: UserPolicyBody, headers: IdempotencyKey, answer: InstanceAnswer },
  };
  app.post("/instance", creation, async (request, reply) => {
    const context = contextOf(parts, request);
    const key = request.headers["idempotency-key"];
    const options = key === undefined ? {} : { idempotencyKey: key };
    const { done } = await createInstance(context, request.body, options);
    const instance = await done;
    return sendJson(reply, { instance: instance.id, policy: instance.policy });
  });

  const one = { schema: { params: Name, answer: InstanceAnswer } };
  app.get("/instance/:name", one, async (request, reply) => {
    const instance = await findInstance(contextOf(parts, request), request.params.name);
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

  app.delete(
    "/instance/:name",
    { ...forUsers, schema: { params: Name, ...PARAGRAPH } },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { name } = request.params;
      await endInstance(context, await findInstance(context, name));
      return sendParagraph(reply, `instance ${name} deleted`);
    },
  );
}

/** @throws ControlError INSTANCE_NOT_FOUND */
export async function findInstance(
  { store, namespace }: CcfaasContext,
  id: string,
): Promise<StoredInstance> {
  const instance = await store.instances.find(namespace, id);
  if (instance !== undefined) return instance;
  throw new ControlError(404, "INSTANCE_NOT_FOUND", `Veracruz instance '${id}' does not exist!`);
}
