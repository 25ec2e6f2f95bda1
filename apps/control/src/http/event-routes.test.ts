// The stream of events: whoever reads it slowly, or not at all, takes no memory of the service.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { Metrics } from "@holdfast/channel";
import type { EventRepository, StoredEvent } from "@holdfast/store";
import pino from "pino";
import { openAccess } from "../access/access.ts";
import { eventRoutes } from "./event-routes.ts";
import { buildServiceApp, type ServiceApp } from "./service-app.ts";

const PAGE = 100;
const SUBJECT = "s".repeat(1000);

const REQUEST = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";

/** Events without end, and how many of them were asked for. */
function endless(): { events: EventRepository; given: () => number } {
  let given = 0;
  const list: EventRepository["list"] = async ({ after }) => {
    given += PAGE;
    await new Promise((resolve) => setImmediate(resolve));
    return Array.from(
      { length: PAGE },
      (_, index): StoredEvent => ({
        seq: after + index + 1,
        kind: "function",
        subject: SUBJECT,
        state: "defined",
        at: "2026-01-01T00:00:00Z",
      }),
    );
  };
  const events = {
    list,
    last: async () => 0,
    next: async () => undefined,
    trim: async () => undefined,
  };
  return { events, given: () => given };
}

async function streamOf(
  t: TestContext,
  events: EventRepository,
): Promise<{ app: ServiceApp; port: number }> {
  const app = buildServiceApp(
    {
      title: "events",
      logger: pino({ level: "silent" }),
      access: openAccess,
      check: async () => undefined,
      metrics: new Metrics(),
    },
    (routes) => eventRoutes(routes, events, ["function"]),
  );
  t.after(() => app.close());
  return { app, port: Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port) };
}

test("a reader that does not read is not written to, and goes on where it was", async (t) => {
  const { events, given } = endless();
  const { port } = await streamOf(t, events);
  const socket = connect({ port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(REQUEST);
  const stood = await standsStill(given);
  let text = "";
  for await (const part of socket.setEncoding("utf8")) {
    text += part;
    if (given() > 2 * stood) break;
  }
  const numbers = [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
  assert.ok(numbers.length > stood / 2);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

/** What a counter says once it has not moved for a while; a service that fills its memory never stops. */
async function standsStill(count: () => number): Promise<number> {
  for (let same = 0, before = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = count();
    assert.ok(now < 1_000_000, "the service goes on without its reader");
    same = now === before && now > 0 ? same + 1 : 0;
    if (same === 10) return now;
    before = now;
  }
}

test("a stream ends with its service, and its connection with it", async (t) => {
  const next = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  const { app, port } = await streamOf(t, { ...endless().events, list: async () => [], next });
  const socket = connect({ port, host: "127.0.0.1" }).setEncoding("utf8");
  t.after(() => socket.destroy());
  socket.write(REQUEST);
  const [head] = await once(socket, "data");
  assert.match(head, /^HTTP\/1\.1 200 [\s\S]*text\/event-stream/);
  const closed = app.close();
  let rest = "";
  for await (const part of socket) rest += part;
  assert.equal(rest, "0\r\n\r\n");
  await closed;
});
