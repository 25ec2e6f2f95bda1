// A namespace is a base URL: everything under /namespaces/NS of a service is of that namespace.
import type { HttpTransport } from "@holdfast/core";

/** The namespace of requests that name none. */
export const DEFAULT_NAMESPACE = "default";

/** What a namespace may be called: 1 to 40 small letters, digits and dashes, no dash first or last. */
export const NAMESPACE_NAME: RegExp = /^[a-z0-9](?:[-a-z0-9]{0,38}[a-z0-9])?$/;

/**
 * The base URL of a namespace at a service.
 * @param baseUrl of the service, such as `http://127.0.0.1:5010`
 */
export function namespaceUrl(baseUrl: string, namespace: string): string {
  return `${baseUrl.replace(/\/+$/, "")}${prefixOf(namespace)}`;
}

/** A transport to a service, within a namespace. */
export function namespaceTransport(transport: HttpTransport, namespace: string): HttpTransport {
  const prefix = prefixOf(namespace);
  return {
    request: ({ path, ...request }) => transport.request({ ...request, path: `${prefix}${path}` }),
  };
}

/** The default namespace goes by the service's own URL, so that services without namespaces understand it, too. */
function prefixOf(namespace: string): string {
  return namespace === DEFAULT_NAMESPACE ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
}
