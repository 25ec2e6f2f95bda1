// Copies as resources under /v1: started, watched, cancelled.
import { CopyList, CopyResource, S3StreamBody } from "@holdfast/contract";
import { Type } from "typebox";
import { IdempotencyKey } from "../http/headers.ts";
import { locationOf, namespaceOf } from "../http/namespace.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { Copies } from "./copies.ts";

const Id = Type.Object({ id: Type.String() });
const WaitQuery = Type.Object({
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60 })),
});

/** Adds the routes. */
export function v1BridgeRoutes(app: ServiceApp, copies: Copies): void {
  app.addHook("preClose", () => copies.stop());

  app.get(
    "/v1/copies",
    {
      config: { role: "user" },
      schema: { summary: "Copies that run or ended lately", response: { 200: CopyList } },
    },
    async (request) => ({ copies: copies.list(namespaceOf(request)) }),
  );

  app.post(
    "/v1/copies",
    {
      config: { role: "user" },
      schema: {
        summary: "Start copying an object of S3 into a file of a keep",
        body: S3StreamBody,
        headers: IdempotencyKey,
        response: { 202: CopyResource },
      },
    },
    async (request, reply) => {
      const key = request.headers["idempotency-key"];
      const copy = copies.start(namespaceOf(request), request.body, key);
      reply.code(202).header("location", locationOf(request, `/v1/copies/${copy.id}`));
      return copy;
    },
  );

  app.get(
    "/v1/copies/:id",
    {
      config: { role: "user" },
      schema: {
        summary: "How far a copy is; with `wait` answered once it has ended",
        params: Id,
        querystring: WaitQuery,
        response: { 200: CopyResource },
      },
    },
    async (request) => {
      const { id } = request.params;
      const namespace = namespaceOf(request);
      await copies.wait(namespace, id, request.query.wait ?? 0);
      return copies.get(namespace, id);
    },
  );

  app.delete(
    "/v1/copies/:id",
    {
      config: { role: "user" },
      schema: {
        summary: "End a copy; the keep has nothing of one that was not done",
        params: Id,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await copies.remove(namespaceOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
