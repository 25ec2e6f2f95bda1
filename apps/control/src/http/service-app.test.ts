// What all services have in common at their edge: health, endings, slow and broken callers, rates, the audit log.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { Metrics } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import pino from "pino";
import { Type } from "typebox";
import { type Access, accessOf, openAccess } from "../access/access.ts";
import { parsePrincipals } from "../access/principals.ts";
import { RequestLimits } from "../access/request-limits.ts";
import { redaction } from "../logger.ts";
import { bytesOf, sha256 } from "../testing/samples.ts";
import { buildServiceApp, type ServiceApp, type ServiceOptions } from "./service-app.ts";

interface Edge {
  readonly app: ServiceApp;
  readonly port: number;
  ask(url: string, options?: Asking): Promise<Answered>;
  /** Lines of the log so far. */
  lines(): Record<string, unknown>[];
  /** Answers the request that waits. */
  go(): void;
}

async function edge(t: TestContext, options: Partial<ServiceOptions> = {}): Promise<Edge> {
  let text = "";
  const stream = new PassThrough().on("data", (part) => {
    text += part;
  });
  const logger = pino({ redact: redaction }, stream);
  let go = (): void => undefined;
  const waited = new Promise<void>((resolve) => {
    go = resolve;
  });
  const defaults = { title: "edge", check: async () => undefined, metrics: new Metrics(), access };
  const app = buildServiceApp({ ...defaults, logger, ...options }, (service) => {
    service.get("/wait", async () => {
      await waited;
      return { done: true };
    });
    service.post("/things", { schema: { body: Type.Object({}) } }, async () => ({}));
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(async () => {
    go();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    port,
    ask: (url, asking) => ask(port, url, asking),
    go,
    lines: () =>
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address to ask from. */
  readonly from?: string;
  readonly json?: object;
}
interface Answered {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly code: unknown;
}

async function ask(port: number, path: string, options: Asking = {}): Promise<Answered> {
  const { method = "GET", from = "127.0.0.1", json } = options;
  const headers = {
    ...options.headers,
    ...(json === undefined ? {} : { "content-type": "application/json" }),
  };
  const call = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers,
    localAddress: from,
    agent: false,
  });
  call.end(json === undefined ? undefined : JSON.stringify(json));
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  let body = "";
  for await (const part of answer.setEncoding("utf8")) body += part;
  return { status: answer.statusCode, headers: answer.headers, body, code: JSON.parse(body).code };
}

const digestOf = (token: string): string => sha256(bytesOf(token));
const principals = parsePrincipals(
  JSON.stringify({
    principals: [
      { name: "admin", roles: ["reader", "admin"], token_sha256: digestOf("token-a") },
      { name: "reader", roles: ["reader"], token_sha256: digestOf("token-r") },
    ],
  }),
);
const sources = { clock: systemClock, principals: async () => principals };
const access: Access = accessOf(sources);
const AS_READER = "authorization: Bearer token-r\r\n";
const as = (token: string) => ({ authorization: `Bearer ${token}` });

function raw(t: TestContext, port: number, text: string): Socket {
  const socket = connect({ port, host: "127.0.0.1" }).setEncoding("utf8");
  t.after(() => socket.destroy());
  socket.write(text);
  return socket;
}

async function all(socket: Socket): Promise<string> {
  let text = "";
  for await (const part of socket) text += part;
  return text;
}

test("alive is one thing, ready another", async (t) => {
  let fault: Error | undefined = new Error("the store is gone");
  const check = async (): Promise<void> => {
    if (fault !== undefined) throw fault;
  };
  const { ask, lines } = await edge(t, { check });
  assert.equal((await ask("/healthz")).status, 200);
  const notReady = await ask("/readyz");
  assert.equal(notReady.status, 503);
  assert.equal(notReady.code, "NOT_READY");
  assert.doesNotMatch(notReady.body, /store is gone/);
  assert.ok(lines().some(({ reason }) => reason === "the store is gone"));
  fault = undefined;
  assert.equal((await ask("/readyz")).body, '{"status":"ready"}');
});

test("what is asked all day is not on the log, unless it is refused", async (t) => {
  const ofRequests = ({ msg }: { msg?: unknown }): boolean => /request/.test(String(msg));
  const { ask, lines } = await edge(t);
  await ask("/healthz");
  await ask("/readyz");
  assert.equal(lines().filter(ofRequests).length, 0);
  await ask("/metrics", { headers: {} });
  assert.deepEqual(
    lines()
      .filter(ofRequests)
      .map(({ msg, code }) => [msg, code]),
    [["request refused", "ACCESS_UNKNOWN"]],
  );
  await ask("/openapi.json");
  assert.ok(lines().some(({ msg }) => msg === "request completed"));
});

test("a service that ends answers what is under way, and nothing new", async (t) => {
  const { app, port, go, lines } = await edge(t);
  const underWay = raw(t, port, `GET /wait HTTP/1.1\r\nhost: x\r\n${AS_READER}\r\n`);
  await until(() => lines().some(({ msg }) => msg === "incoming request"));
  // A connection without any request would be closed at once.
  const begun = raw(t, port, "GET /readyz HTTP/1.1\r\nhost: x\r\n");
  await ask(port, "/healthz");
  const closed = app.close();
  await until(() => !app.server.listening);
  begun.write("\r\n");
  assert.match(await all(begun), /^HTTP\/1\.1 503 [\s\S]*"SHUTTING_DOWN"/);
  go();
  assert.match(await all(underWay), /^HTTP\/1\.1 200 [\s\S]*\{"done":true\}$/);
  await closed;
});

test("a service that ends does not wait for callers to hang up", async (t) => {
  const { app, port, go, lines } = await edge(t);
  const socket = raw(t, port, `GET /wait HTTP/1.1\r\nhost: x\r\n${AS_READER}\r\n`);
  await until(() => lines().some(({ msg }) => msg === "incoming request"));
  const closed = app.close();
  await until(() => !app.server.listening);
  go();
  assert.match(
    await all(socket),
    /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*\{"done":true\}$/,
  );
  await closed;
});

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !isSo(); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(isSo());
}

test("whoever announces a body and falls silent is cut off", async (t) => {
  const { port } = await edge(t, { bodySilenceMs: 50 });
  const head = "POST /things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-a\r\n";
  const json = "content-type: application/json\r\n";
  for (const rest of [
    "content-length: 10\r\n\r\n{",
    "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
  ]) {
    assert.equal(await all(raw(t, port, `${head}${json}${rest}`)), "");
  }
});

test("what is no request is answered with a problem document", async (t) => {
  const { port } = await edge(t);
  const [noise, large] = [
    raw(t, port, "hello\r\n\r\n"),
    raw(t, port, `GET /${"x".repeat(17_000)} HTTP/1.1\r\n\r\n`),
  ];
  assert.match(
    await all(noise),
    /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"REQUEST_INVALID"/,
  );
  assert.match(await all(large), /^HTTP\/1\.1 431 [\s\S]*"REQUEST_HEADERS_TOO_LARGE"/);
});

test("refused: a body over its size, before it is read", async (t) => {
  const { port } = await edge(t);
  const head = "POST /things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-a\r\n";
  const rest = "content-type: application/json\r\ncontent-length: 8388609\r\n\r\n";
  const [answer] = await once(raw(t, port, `${head}${rest}`), "data");
  assert.match(String(answer), /^HTTP\/1\.1 413 [\s\S]*"REQUEST_TOO_LARGE"/);
});

const RATES = {
  principal: { perSecond: 1, burst: 3 },
  address: { perSecond: 1, burst: 100 },
  failures: { perSecond: 0.1, burst: 2 },
};

/** Access under rates, and a clock for them. */
function limited(change: Partial<typeof RATES> = {}): {
  access: Access;
  later: (ms: number) => void;
} {
  let now = 0;
  const limits = new RequestLimits({ ...RATES, ...change }, () => now);
  return {
    access: accessOf({ ...sources, limits }),
    later: (ms) => {
      now += ms;
    },
  };
}

test("a principal that asks too often is told when to come again, and nobody else is kept waiting", async (t) => {
  const { access: rated, later } = limited();
  const { ask: get } = await edge(t, { access: rated });
  const ask = (token: string) => get("/openapi.json", { headers: as(token) });
  for (const left of [2, 1, 0]) {
    const { status, headers } = await ask("token-r");
    assert.equal(status, 200);
    assert.equal(headers["ratelimit-policy"], '"principal";q=3;w=3');
    assert.match(String(headers["ratelimit"]), new RegExp(`^"principal";r=${left};t=[01]$`));
  }
  const over = await ask("token-r");
  assert.equal(over.status, 429);
  assert.equal(over.code, "RATE_LIMITED");
  assert.equal(over.headers["retry-after"], "1");
  assert.equal((await ask("token-a")).status, 200);
  later(1000);
  assert.equal((await ask("token-r")).status, 200);
});

test("an address that asks too often is refused before anybody looks at its proofs", async (t) => {
  const { access: rated } = limited({ address: { perSecond: 1, burst: 2 } });
  const { ask } = await edge(t, { access: rated });
  const codes = [];
  for (const url of ["/healthz", "/readyz", "/healthz", "/openapi.json"]) {
    codes.push((await ask(url, { headers: as("token-r") })).status);
  }
  assert.deepEqual(codes, [200, 200, 429, 429]);
  assert.equal((await ask("/healthz", { from: "127.0.0.9" })).status, 200);
});

test("an address of wrong tokens is soon refused unread, and who was let in before is not", async (t) => {
  const { access: rated, later } = limited({ principal: { perSecond: 1, burst: 100 } });
  const { ask: get } = await edge(t, { access: rated });
  const ask = async (token: string) => (await get("/openapi.json", { headers: as(token) })).status;
  assert.equal(await ask("token-a"), 200);
  assert.deepEqual([await ask("a"), await ask("b"), await ask("c")], [401, 401, 429]);
  // A good token that nobody has seen yet might be a guess; one that was good is none.
  assert.deepEqual([await ask("token-r"), await ask("token-a")], [429, 200]);
  assert.equal((await get("/openapi.json")).status, 401);
  assert.equal((await get("/healthz")).status, 200);
  later(10_000);
  assert.equal(await ask("token-r"), 200);
});

test("behind a proxy an address is the one that the proxy saw, whatever the caller says", async (t) => {
  const one = { address: { perSecond: 1, burst: 1 } };
  const behind = await edge(t, { access: limited(one).access, isBehindProxy: true });
  const ask = async (edge: Edge, seen: string) =>
    (await edge.ask("/healthz", { headers: { "x-forwarded-for": seen } })).status;
  assert.equal(await ask(behind, "198.51.100.1, 192.0.2.1"), 200);
  assert.equal(await ask(behind, "198.51.100.2, 192.0.2.1"), 429);
  assert.equal(await ask(behind, "198.51.100.1, 192.0.2.2"), 200);
  const direct = await edge(t, { access: limited(one).access });
  assert.equal(await ask(direct, "192.0.2.1"), 200);
  assert.equal(await ask(direct, "192.0.2.2"), 429);
});

test("the audit log has what changes something and what was refused, with the reason, and no secrets", async (t) => {
  const { access: rated } = limited({ principal: { perSecond: 1, burst: 2 } });
  const { ask, lines } = await edge(t, { access: rated });
  const post = (token: string) =>
    ask("/things?x=1", { method: "POST", headers: as(token), json: {} });
  await post("token-a");
  await post("token-r");
  await post("wrong");
  await ask("/openapi.json");
  await ask("/openapi.json", { headers: as("token-r") });
  for (let i = 0; i < 5; i += 1) {
    await ask("/openapi.json", { headers: as("token-r") });
  }
  await until(() => lines().some(({ status }) => status === 429));
  const audit = lines().filter((line) => line["audit"] === true);
  assert.deepEqual(
    audit.map(({ who, method, url, status, code }) => [who, method, url, status, code]),
    [
      ["token:admin", "POST", "/things?[unread]", 200, undefined],
      ["token:reader", "POST", "/things?[unread]", 403, "ACCESS_DENIED"],
      ["nobody known", "POST", "/things?[unread]", 401, "ACCESS_UNKNOWN"],
      ["nobody known", "GET", "/openapi.json", 401, "ACCESS_UNKNOWN"],
      ["token:reader", "GET", "/openapi.json", 429, "RATE_LIMITED"],
    ],
  );
  assert.deepEqual(
    audit.map(({ why }) => why),
    [
      undefined,
      "token:reader has not the role admin in namespace default, which this takes",
      "unknown token",
      "nothing was presented",
      "over the rate: principal",
    ],
  );
  assert.ok(audit.every(({ ip, reqId }) => ip === "127.0.0.1" && typeof reqId === "string"));
  assert.doesNotMatch(JSON.stringify(lines()), /token-[ar]|wrong/);
});

test("the service's document says how to prove who one is, and where nobody has to", async (t) => {
  const { ask } = await edge(t);
  const { body } = await ask("/openapi.json", { headers: as("token-r") });
  const { security, components, paths } = JSON.parse(body);
  assert.deepEqual(security, [{ bearer: [] }, { certificate: [] }]);
  assert.deepEqual(Object.keys(components.securitySchemes), ["bearer", "certificate"]);
  assert.deepEqual(paths["/healthz"].get.security, []);
  assert.equal(paths["/things"].post.security, undefined);
});

test("in local development, a page whose name is made to lead here is refused", async (t) => {
  const { ask } = await edge(t, { access: openAccess });
  for (const host of ["127.0.0.1:5000", "localhost", "[::1]:5000"])
    assert.equal((await ask("/openapi.json", { headers: { host } })).status, 200, host);
  for (const host of ["evil.example", "127.0.0.1.evil.example:5000", "192.0.2.1"])
    assert.equal((await ask("/openapi.json", { headers: { host } })).code, "ACCESS_DENIED", host);
});

test("in local development, a page of another site is refused, though it asks by the right name", async (t) => {
  const { ask } = await edge(t, { access: openAccess });
  const post = (origin: string) =>
    ask("/things", { method: "POST", headers: { host: "localhost", origin }, json: {} });
  for (const origin of ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:3000"])
    assert.equal((await post(origin)).status, 200, origin);
  for (const origin of ["https://evil.example", "http://localhost.evil.example", "null", ""])
    assert.equal((await post(origin)).code, "ACCESS_DENIED", origin);
});

test("what is not there is not told to strangers", async (t) => {
  const { ask } = await edge(t);
  assert.equal((await ask("/nothing")).code, "ACCESS_UNKNOWN");
  assert.equal((await ask("/nothing", { headers: as("token-r") })).code, "ROUTE_NOT_FOUND");
  assert.equal(
    (await ask("/nothing", { method: "POST", headers: as("token-r") })).code,
    "ACCESS_DENIED",
  );
});
