// The seed's routes of instances.
import { InstanceAnswer, InstanceList, UserPolicyBody } from "@holdfast/contract";
import type { StoredInstance } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { PARAGRAPH, sendJson, sendParagraph } from "../http/answers.ts";
import { IdempotencyKey } from "../http/headers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { CcfaasContext } from "./context.ts";
import { createInstance } from "./create-instance.ts";
import { endInstance } from "./end-instance.ts";

const forUsers = { config: { role: "user" } } as const;
const Name = Type.Object({ name: Type.String() });

/** Adds the routes of instances. */
export function instanceRoutes(app: ServiceApp, context: CcfaasContext): void {
  const { store } = context;

  app.get("/instance", { schema: { answer: InstanceList } }, async (_request, reply) => {
    const living = (await store.instances.list()).filter((each) => !isOver(each));
    return sendJson(reply, { instances: living.map(({ id }) => id).sort() });
  });

  const creation = {
    ...forUsers,
    schema: { body: UserPolicyBody, headers: IdempotencyKey, answer: InstanceAnswer },
  };
  app.post("/instance", creation, async ({ body, headers }, reply) => {
    const key = headers["idempotency-key"];
    const options = key === undefined ? {} : { idempotencyKey: key };
    const instance = await (await createInstance(context, body, options)).done;
    return sendJson(reply, { instance: instance.id, policy: instance.policy });
  });

  const one = { schema: { params: Name, answer: InstanceAnswer } };
  app.get("/instance/:name", one, async ({ params }, reply) => {
    const instance = await findInstance(context, params.name);
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
    async ({ params }, reply) => {
      await endInstance(context, await findInstance(context, params.name));
      return sendParagraph(reply, `instance ${params.name} deleted`);
    },
  );
}

/** @throws ControlError INSTANCE_NOT_FOUND */
export async function findInstance({ store }: CcfaasContext, id: string): Promise<StoredInstance> {
  const instance = await store.instances.find(id);
  if (instance !== undefined) return instance;
  throw new ControlError(404, "INSTANCE_NOT_FOUND", `Veracruz instance '${id}' does not exist!`);
}

function isOver({ state }: StoredInstance): boolean {
  return state === "ended" || state === "failed";
}
