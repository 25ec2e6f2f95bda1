// What every request passes first: it has an id, may not come too often, and is refused while the service ends; what came
// of it is counted.
import {
  type CallerLimits,
  lacksHost,
  type Metrics,
  type OverRate,
  rateHeaders,
} from "@holdfast/channel";
import type { FastifyReply } from "fastify";
import type { App } from "../app.ts";
import { TrustError } from "../errors.ts";

/** Adds the hooks. */
export function requestHooks(app: App, limits: CallerLimits, metrics: Metrics): void {
  let isEnding = false;
  app.addHook("preClose", async () => {
    isEnding = true;
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    if (isEnding) throw new TrustError("SHUTTING_DOWN", "the service is ending");
    if (lacksHost(request.raw))
      throw new TrustError("REQUEST_INVALID", "the request names no host");
    refuseOver(limits.arrived(request.ip), reply);
  });
  app.addHook("onResponse", async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
    metrics.answered(routeOptions.url ?? "unknown", method, statusCode, elapsedTime / 1000);
  });
}

/**
 * Refuses what is over a rate.
 * @throws TrustError RATE_LIMITED
 */
export function refuseOver(over: OverRate | undefined, reply: FastifyReply): void {
  if (over === undefined) return;
  const { waitSeconds } = over.allowance;
  reply.headers({ ...rateHeaders(over), "retry-after": String(waitSeconds) });
  throw new TrustError("RATE_LIMITED", `too many requests; come again in ${waitSeconds} s`);
}
