// The seed's routes of functions.
import { FunctionBody, FunctionList } from "@holdfast/contract";
import { Type } from "typebox";
import { PARAGRAPH, sendJson, sendParagraph } from "../http/answers.ts";
import { IdempotencyKey } from "../http/headers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { type CcfaasParts, contextOf } from "./context.ts";
import { findFunction, registerFunction, removeFunction } from "./register-function.ts";

const Name = Type.Object({ name: Type.String() });

/** Adds the routes of functions. */
export function functionRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.get("/function", { schema: { answer: FunctionList } }, async (request, reply) => {
    const { store, namespace } = contextOf(parts, request);
    return sendJson(reply, { functions: await store.functions.names(namespace) });
  });

  const registration = {
    schema: { body: FunctionBody, headers: IdempotencyKey, answer: FunctionBody },
  };
  app.post("/function", registration, async (request, reply) => {
    const { body, headers } = request;
    await registerFunction(contextOf(parts, request), body, headers["idempotency-key"]);
    return sendJson(reply, body);
  });

  const one = { schema: { params: Name, answer: FunctionBody } };
  app.get("/function/:name", one, async (request, reply) => {
    const found = await findFunction(contextOf(parts, request), request.params.name);
    return sendJson(reply, JSON.parse(found.head.definition));
  });

  const removal = { schema: { params: Name, ...PARAGRAPH } };
  app.delete("/function/:name", removal, async (request, reply) => {
    const { name } = request.params;
    await removeFunction(contextOf(parts, request), name);
    return sendParagraph(reply, `Function ${name} deleted`);
  });
}
