// Namespaces as base URLs: a path that begins with /namespaces/NS belongs to NS, and is routed by what follows; any
// other path belongs to `default`. The name is read once, from the raw path, before routing; it has one spelling (no
// escapes), and nothing later in the path can change it.
import type { IncomingMessage } from "node:http";
import { DEFAULT_NAMESPACE, NAMESPACE_NAME } from "@holdfast/contract";
import type { FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";

const PREFIXED = /^\/namespaces(?:\/([^/?#]*))?([/?#].*)?$/s;
const given = new WeakMap<IncomingMessage, string>();

/** The URL that a request is routed by: its own without the namespace, which is remembered. For Fastify's `rewriteUrl`. */
export function rewriteUrl(raw: IncomingMessage): string {
  const url = raw.url ?? "/";
  const prefixed = PREFIXED.exec(url);
  if (prefixed === null) return url;
  const [, name = "", rest = "/"] = prefixed;
  given.set(raw, name);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * The namespace that a request belongs to.
 * @throws ControlError NAMESPACE_INVALID
 */
export function namespaceOf({ raw }: Pick<FastifyRequest, "raw">): string {
  const name = given.get(raw) ?? DEFAULT_NAMESPACE;
  if (NAMESPACE_NAME.test(name)) return name;
  throw new ControlError(
    400,
    "NAMESPACE_INVALID",
    "a namespace has 1 to 40 small letters, digits and dashes, no dash first or last, and no escapes",
  );
}

/** The path under which a client of the same base URL finds something. */
export function locationOf({ raw }: Pick<FastifyRequest, "raw">, path: string): string {
  const name = given.get(raw);
  return name === undefined ? path : `/namespaces/${name}${path}`;
}
