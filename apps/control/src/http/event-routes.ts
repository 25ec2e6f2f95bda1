// GET /v1/events: what changed, as a page of JSON or as a stream (server-sent events) that goes on where it is told to.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { ControlEvents } from "@holdfast/contract";
import type { EventFilter, EventRepository, NewEvent, StoredEvent } from "@holdfast/store";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { callerLeft } from "./caller-left.ts";
import { namespaceOf } from "./namespace.ts";
import type { ServiceApp } from "./service-app.ts";

const Query = Type.Object({
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: 999_999_999_999_999 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  subject: Type.Optional(Type.String({ maxLength: 1024 })),
});
const Headers = Type.Object({
  accept: Type.Optional(Type.String()),
  "last-event-id": Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })),
});
const LIMIT = 100;
const HEARTBEAT_MS = 15_000;
const PATIENCE_MS = 60_000;

/** Adds the route; only events of the kinds are shown. */
export function eventRoutes(
  app: ServiceApp,
  events: EventRepository,
  kinds: readonly NewEvent["kind"][],
): void {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());

  app.get(
    "/v1/events",
    {
      schema: {
        summary: "What changed, as JSON or as a stream of server-sent events",
        querystring: Query,
        headers: Headers,
        response: { 200: ControlEvents },
      },
    },
    async (request, reply) => {
      const { query, headers } = request;
      const { subject, limit = LIMIT } = query;
      const namespace = namespaceOf(request);
      const filter = { namespace, kinds, limit, ...(subject === undefined ? {} : { subject }) };
      if (!(headers.accept ?? "").includes("text/event-stream")) {
        return { events: await events.list({ ...filter, after: query.after ?? 0 }) };
      }
      const given = headers["last-event-id"] ?? query.after;
      const after = given === undefined ? await events.last(namespace) : Number(given);
      await stream(events, { ...filter, after }, reply, closing.signal);
      return reply;
    },
  );
}

async function stream(
  events: EventRepository,
  filter: EventFilter,
  reply: FastifyReply,
  closing: AbortSignal,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  raw.flushHeaders();
  const signal = AbortSignal.any([closing, callerLeft(raw)]);
  // A line now and then, so that whoever is between notices when somebody left.
  const heartbeat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(":\n\n");
  }, HEARTBEAT_MS);
  try {
    for (let after = filter.after; !signal.aborted; ) {
      const found = await events.list({ ...filter, after });
      for (const event of found) raw.write(textOf(event));
      await taken(raw, signal);
      after = found.at(-1)?.seq ?? after;
      if (found.length === 0) await events.next(signal);
    }
  } finally {
    clearInterval(heartbeat);
    raw.end();
    // What was said to be kept open at the beginning is not, once the service ends.
    if (closing.aborted) raw.socket?.destroySoon();
  }
}

/** Resolves once the reader has taken what was written, so that a slow one fills no memory; one that stopped is left. */
async function taken(raw: ServerResponse, signal: AbortSignal): Promise<void> {
  if (!raw.writableNeedDrain) return;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  await once(raw, "drain", { signal: patience }).catch(() => raw.destroy());
}

function textOf(event: StoredEvent): string {
  return `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
