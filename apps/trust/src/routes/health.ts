// Whether the service is alive, and whether it can decide: a decision that can't be written down is none. And how much it
// does, for the administrator.
import type { Metrics } from "@holdfast/channel";
import { Health } from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import type { App, AppDependencies } from "../app.ts";
import { TrustError } from "../errors.ts";
import { requireAdmin } from "./require-admin.ts";

/** Adds the routes. */
export function healthRoutes(app: App, deps: AppDependencies, metrics: Metrics): void {
  app.get("/healthz", { schema: { response: { 200: Health } } }, async () => ({ status: "ok" }));

  app.get("/readyz", async ({ log }) => {
    await deps.log.check().catch((thrown: unknown) => {
      log.warn({ reason: messageOf(thrown) }, "not ready");
      throw new TrustError(
        "NOT_READY",
        "the log of decisions can't be written; no decision is made",
      );
    });
    return { status: "ready" };
  });

  app.get("/metrics", { onRequest: requireAdmin(deps) }, async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await metrics.text()),
  );
}
