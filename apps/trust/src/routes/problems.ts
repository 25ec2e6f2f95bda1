// Errors as problem documents. What is not ours becomes a plain 500: the log has it, the caller gets nothing.
import { PROBLEM_TYPE, problem } from "@holdfast/contract";
import type { FastifyError, FastifyReply } from "fastify";
import type { App } from "../app.ts";
import { TrustError } from "../errors.ts";

const BY_FASTIFY_CODE: Readonly<Record<string, "REQUEST_TOO_LARGE" | "REQUEST_MEDIA_TYPE">> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "REQUEST_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "REQUEST_MEDIA_TYPE",
};

/** Adds the handlers of errors and of unknown routes. */
export function problemHandlers(app: App): void {
  app.setNotFoundHandler((request, reply) =>
    send(reply, new TrustError("ROUTE_UNKNOWN", `no route ${request.method} ${request.url}`)),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = knownError(error);
    if (known !== undefined) return send(reply, known);
    request.log.error({ err: error }, "request failed");
    return reply
      .code(500)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem(500, "INTERNAL", "the service failed; its log says why")));
  });
}

function knownError(error: FastifyError): TrustError | undefined {
  if (error instanceof TrustError) return error;
  const status = error.statusCode ?? 500;
  if (status >= 500) return undefined;
  const code = BY_FASTIFY_CODE[error.code] ?? "REQUEST_INVALID";
  return new TrustError(code, error.message, { cause: error });
}

function send(reply: FastifyReply, error: TrustError): FastifyReply {
  return reply
    .code(error.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem(error.status, error.code, error.message)));
}
