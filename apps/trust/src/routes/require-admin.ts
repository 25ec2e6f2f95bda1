// Guards administrative routes: asked before a body is read.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AppDependencies } from "../app.ts";
import { TrustError } from "../errors.ts";

/** A hook that lets only the administrator pass. */
export function requireAdmin({ administrator }: Pick<AppDependencies, "administrator">) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (administrator.is(request.headers.authorization)) return;
    reply.header("www-authenticate", "Bearer");
    throw new TrustError("ADMIN_REQUIRED", "this needs the administrator's token");
  };
}
