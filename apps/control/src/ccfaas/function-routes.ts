// The seed's routes of functions.
import { FunctionBody } from "@holdfast/contract";
import { Type } from "typebox";
import { sendJson, sendParagraph } from "../http/answers.ts";
import { IdempotencyKey } from "../http/headers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { CcfaasContext } from "./context.ts";
import { findFunction, registerFunction, removeFunction } from "./register-function.ts";

const Name = Type.Object({ name: Type.String() });

/** Adds the routes of functions. */
export function functionRoutes(app: ServiceApp, context: CcfaasContext): void {
  const { store } = context;

  app.get("/function", async (_request, reply) => {
    const functions = await store.functions.list();
    return sendJson(reply, { functions: functions.map(({ name }) => name) });
  });

  const registration = { schema: { body: FunctionBody, headers: IdempotencyKey } };
  app.post("/function", registration, async ({ body, headers }, reply) => {
    await registerFunction(context, body, headers["idempotency-key"]);
    return sendJson(reply, body);
  });

  app.get("/function/:name", { schema: { params: Name } }, async ({ params }, reply) => {
    const found = await findFunction(context, params.name);
    return sendJson(reply, JSON.parse(found.definition));
  });

  app.delete("/function/:name", { schema: { params: Name } }, async ({ params }, reply) => {
    await removeFunction(context, params.name);
    return sendParagraph(reply, `Function ${params.name} deleted`);
  });
}
