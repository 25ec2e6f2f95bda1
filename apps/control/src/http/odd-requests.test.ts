// Requests at the edge of what HTTP allows: each is answered in the words of the contract, and none is read as something
// else than it says.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { Metrics } from "@holdfast/channel";
import pino from "pino";
import { Type } from "typebox";
import { openAccess } from "../access/access.ts";
import { type Answer, call, isProblem } from "../testing/call.ts";
import { prefersAsync } from "./headers.ts";
import { buildServiceApp } from "./service-app.ts";

const Thing = Type.Object({ name: Type.String() }, { additionalProperties: false });
const Query = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })) });

/** A service, and what it logs. */
async function service(t: TestContext): Promise<{ url: string; log: () => string }> {
  let text = "";
  const write = (line: string): void => {
    text += line;
  };
  const logger = pino({}, { write });
  const app = buildServiceApp(
    {
      title: "odd",
      logger,
      access: openAccess,
      check: async () => undefined,
      metrics: new Metrics(),
    },
    (routes) => {
      routes.post("/things", { schema: { body: Thing } }, async ({ body }) => body);
      routes.get("/things", { schema: { querystring: Query } }, async ({ query }) => query);
      routes.delete("/things/:name", async () => ({}));
    },
  );
  t.after(() => app.close());
  return { url: await app.listen({ host: "127.0.0.1", port: 0 }), log: () => text };
}

const JSON_TYPE = { "content-type": "application/json" };

test("a path that can't be read is a problem like any other", async (t) => {
  const { url } = await service(t);
  for (const [path, status, code] of [
    ["/things/%zz", 400, "REQUEST_INVALID"],
    [`/things/${"x".repeat(9000)}`, 414, "NAME_INVALID"],
  ] as const) {
    const answer = await call("DELETE", `${url}${path}`);
    const { detail } = isProblem(answer, status, code);
    assert.ok(detail.length < 200);
    assert.match(answer.headers.get("x-request-id") ?? "", /^[-0-9a-f]{36}$/);
  }
});

test("every method that a resource does not have is 405, and says which it has", async (t) => {
  const { url } = await service(t);
  for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
    const answer = await send(method, `${url}/things`);
    isProblem(answer, 405, "METHOD_NOT_ALLOWED");
    assert.equal(answer.headers.get("allow"), "GET, HEAD, POST");
  }
});

test("bytes that are no UTF-8 are not read as other text", async (t) => {
  const { url } = await service(t);
  const body = Buffer.from('{"name":"g\xff"}', "latin1");
  isProblem(
    await call("POST", `${url}/things`, { body, headers: JSON_TYPE }),
    400,
    "REQUEST_INVALID",
  );
});

test("an empty body of JSON is none", async (t) => {
  const { url } = await service(t);
  assert.equal((await call("DELETE", `${url}/things/x`, { headers: JSON_TYPE })).status, 200);
  isProblem(await call("POST", `${url}/things`, { headers: JSON_TYPE }), 400, "REQUEST_INVALID");
});

test("a member that would change a prototype is refused", async (t) => {
  const { url } = await service(t);
  for (const body of ['{"name":"n","__proto__":{}}', '{"name":"n","constructor":{"prototype":{}}}'])
    isProblem(
      await call("POST", `${url}/things`, { body, headers: JSON_TYPE }),
      400,
      "REQUEST_INVALID",
    );
});

test("a member that is not known is named, and called that", async (t) => {
  const { url } = await service(t);
  const answer = await call("POST", `${url}/things`, { json: { name: "n", nmae: 1 } });
  assert.match(isProblem(answer, 400, "REQUEST_INVALID").detail, /\/nmae: is not known here$/);
});

test("a number in a query is written as one, or refused", async (t) => {
  const { url } = await service(t);
  assert.deepEqual(JSON.parse((await call("GET", `${url}/things?limit=7`)).text), { limit: 7 });
  for (const text of ["", "1.9", "0x7", "%207", "7e0", "true", "99999999999999999999", "1&limit=2"])
    isProblem(await call("GET", `${url}/things?limit=${text}`), 400, "REQUEST_INVALID");
});

test("the log has nothing of a query that nobody reads, such as a token", async (t) => {
  const { url, log } = await service(t);
  await call("GET", `${url}/things?access_token=hf_secret&limit=3&hf_secret`);
  await call("DELETE", `${url}/things/x?token=hf_secret`);
  await call("GET", `${url}/nothing?token=hf_secret`);
  await call("GET", `${url}/things/%zz?token=hf_secret`);
  assert.match(log(), /"url":"\/things\?\[unread\]&limit=3&\[unread\]"/);
  assert.match(log(), /"audit":true[^\n]*"url":"\/things\/x\?\[unread\]"/);
  assert.doesNotMatch(log(), /hf_secret/);
});

test("a preference may have parameters", () => {
  for (const prefer of ["respond-async", "wait=5, Respond-Async", "respond-async; x=1"])
    assert.ok(prefersAsync(prefer), prefer);
  assert.ok(!prefersAsync(undefined));
  for (const prefer of ["", "wait=5", "x; respond-async", "respond-asynchronously"])
    assert.ok(!prefersAsync(prefer), prefer);
});

test("refused in the words of the contract: a request that names no host", async (t) => {
  const { url } = await service(t);
  const answer = await raw(url, ["GET /things HTTP/1.1"]);
  assert.match(answer, /^HTTP\/1\.1 400 .*application\/problem\+json.*"REQUEST_INVALID"/s);
});

test("an expectation that nobody knows is passed over", async (t) => {
  const { url } = await service(t);
  const head = ["GET /things HTTP/1.1", "host: localhost", "expect: tea"];
  assert.match(await raw(url, head), /^HTTP\/1\.1 200 /);
});

/** What is answered to a head as it stands. */
async function raw(url: string, head: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").setEncoding("utf8");
  socket.write([...head, "connection: close", "", ""].join("\r\n"));
  let text = "";
  for await (const part of socket) text += part;
  return text;
}

/** A request with any method, which `fetch` would not send. */
async function send(method: string, url: string): Promise<Answer> {
  const asked = request(url, { method, agent: false }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of answer.setEncoding("utf8")) text += part;
  const headers = new Headers(answer.headers as Record<string, string>);
  return { status: answer.statusCode ?? 0, type: headers.get("content-type") ?? "", text, headers };
}
