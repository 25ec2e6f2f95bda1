// What the log shows of a URL: nothing of a query that its route does not read. That may be anything: a token, sent where
// it does not belong.
import type { FastifyRequest } from "fastify";

/** The URL of a request, for the log. */
export function loggableUrl({
  originalUrl,
  routeOptions,
}: Pick<FastifyRequest, "originalUrl" | "routeOptions">): string {
  const at = originalUrl.indexOf("?");
  if (at < 0) return originalUrl;
  const { properties = {} } = (routeOptions.schema?.querystring ?? {}) as { properties?: object };
  const members = originalUrl
    .slice(at + 1)
    .split("&")
    .map((member) =>
      Object.hasOwn(properties, member.split("=", 1)[0] ?? "") ? member : "[unread]",
    );
  return `${originalUrl.slice(0, at)}?${members.join("&")}`;
}
