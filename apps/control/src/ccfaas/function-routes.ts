// The seed's routes of functions.
import { FunctionBody, FunctionList } from "@holdfast/contract";
import { Type } from "typebox";
import { PARAGRAPH, sendJson, sendParagraph } from "../http/answers.ts";
import { IdempotencyKey } from "../http/headers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { CcfaasContext } from "./context.ts";
import { findFunction, registerFunction, removeFunction } from "./register-function.ts";

const Name = Type.Object({ name: Type.String() });

/** Adds the routes of functions. */
export function functionRoutes(app: ServiceApp, context: CcfaasContext): void {
  const { store } = context;

  app.get("/function", { schema: { answer: FunctionList } }, async (_request, reply) => {
    const functions = await store.functions.list();
    return sendJson(reply, { functions: functions.map(({ name }) => name) });
  });

  const registration = {
    schema: { body: FunctionBody, headers: IdempotencyKey, answer: FunctionBody },
  };
  app.post("/function", registration, async ({ body, headers }, reply) => {
    await registerFunction(context, body, headers["idempotency-key"]);
    return sendJson(reply, body);
  });

  const one = { schema: { params: Name, answer: FunctionBody } };
  app.get("/function/:name", one, async ({ params }, reply) => {
    const found = await findFunction(context, params.name);
    return sendJson(reply, JSON.parse(found.definition));
  });

  const removal = { schema: { params: Name, ...PARAGRAPH } };
  app.delete("/function/:name", removal, async ({ params }, reply) => {
    await removeFunction(context, params.name);
    return sendParagraph(reply, `Function ${params.name} deleted`);
  });
}
