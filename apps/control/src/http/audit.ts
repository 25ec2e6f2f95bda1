// The audit log: everything that changes something, and everything that was refused for who asked or how often. Who, what,
// and what came of it; why it was refused is here and nowhere else.
import { messageOf } from "@holdfast/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { nameOf } from "../access/principal.ts";
import { loggableUrl } from "./loggable-url.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Why it was refused, for the log. */
    refusal?: { readonly code: string; readonly why: string };
  }
}

const DENIALS = new Set([401, 403, 429]);

/** Notes why a request is refused. */
export function noteRefusal(request: FastifyRequest, code: string, thrown: unknown): void {
  const { cause } = thrown as { cause?: unknown };
  request.refusal = { code, why: messageOf(cause ?? thrown) };
}

/** Writes the line of a request that was answered, when it is one for the audit log. */
export function audit(request: FastifyRequest, reply: FastifyReply, isOpen: boolean): void {
  const { principal, method, ip, refusal } = request;
  const url = loggableUrl(request);
  const { statusCode: status } = reply;
  const isDenied = DENIALS.has(status);
  if (request.isRefusedAgain === true || (isReading(method) && !isDenied)) return;
  const nobody = isOpen ? "anyone on this machine" : "nobody known";
  const who = principal === undefined ? nobody : nameOf(principal);
  const line = { audit: true, who, ip, method, url, status };
  request.log.info(isDenied && refusal !== undefined ? { ...line, ...refusal } : line, "audit");
}

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
