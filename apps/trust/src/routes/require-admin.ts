// Guards administrative routes: asked before a body is read. Whoever tries many tokens is soon not heard any more.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AppDependencies } from "../app.ts";
import { TrustError } from "../errors.ts";
import { refuseOver } from "./request-hooks.ts";

/** A hook that lets only the administrator pass. */
export function requireAdmin({
  administrator,
  limits,
}: Pick<AppDependencies, "administrator" | "limits">) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { authorization } = request.headers;
    if (authorization !== undefined) refuseOver(limits.proves(authorization, request.ip), reply);
    if (administrator.is(authorization)) {
      limits.held(authorization ?? "");
      return;
    }
    if (authorization !== undefined) limits.failed(authorization, request.ip);
    reply.header("www-authenticate", "Bearer");
    throw new TrustError("ADMIN_REQUIRED", "this needs the administrator's token");
  };
}
