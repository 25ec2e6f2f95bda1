// Whether a service is alive, and whether to send it requests: two questions. One that is not ready is left alone, one
// that is not alive is started again.
import { messageOf } from "@holdfast/core";
import { ControlError } from "../errors.ts";
import type { ServiceApp } from "./service-app.ts";

const open = { role: "anyone" } as const;

/**
 * Adds the two routes.
 * @param check throws while the service can't do its work
 */
export function healthRoutes(app: ServiceApp, check: () => Promise<void>): void {
  const alive = { summary: "Whether the service is alive" };
  app.get("/healthz", { config: open, schema: alive }, async () => ({ status: "ok" }));
  const ready = { summary: "Whether the service is ready for requests" };
  app.get("/readyz", { config: open, schema: ready }, async (request) => {
    await check().catch((thrown: unknown) => {
      request.log.warn({ reason: messageOf(thrown) }, "not ready");
      throw new ControlError(503, "NOT_READY", "the service can't work now; its log says why");
    });
    return { status: "ready" };
  });
}
