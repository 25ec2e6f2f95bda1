// What every caller meets before any route: limits by address, ids of requests, health, and an end that is told.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { ADMIN_TOKEN, newService, world } from "../testing/service.ts";

const GENEROUS = { perSecond: 1000, burst: 1000 };
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };

test("an address that asks too often is told when to come again, and others are not harmed", async (t) => {
  const rates = { address: { perSecond: 0.5, burst: 3 }, failures: GENEROUS };
  const service = await newService(t, { rates });
  const ask = (remoteAddress: string) =>
    service.app.inject({ method: "POST", url: "/v1/challenges", remoteAddress });
  for (let asked = 0; asked < 3; asked += 1) assert.equal((await ask("192.0.2.1")).statusCode, 201);
  const refused = await ask("192.0.2.1");
  assert.deepEqual([refused.statusCode, refused.json().code], [429, "RATE_LIMITED"]);
  assert.equal(refused.headers["retry-after"], "2");
  assert.equal(refused.headers["ratelimit"], '"address";r=0;t=2');
  assert.equal((await ask("192.0.2.2")).statusCode, 201);
  service.now = new Date(world.at.getTime() + 2000);
  assert.equal((await ask("192.0.2.1")).statusCode, 201);
});

test("behind a proxy the address is the one that the proxy names last", async (t) => {
  const rates = { address: { perSecond: 0.5, burst: 1 }, failures: GENEROUS };
  const { app } = await newService(t, { rates, isBehindProxy: true });
  const ask = async (forwarded: string): Promise<number> =>
    (await app.inject({ url: "/v1/authority", headers: { "x-forwarded-for": forwarded } }))
      .statusCode;
  assert.equal(await ask("192.0.2.1"), 200);
  assert.equal(await ask("198.51.100.9, 192.0.2.1"), 429);
  assert.equal(await ask("192.0.2.2"), 200);
});

test("without a proxy nobody chooses his own address", async (t) => {
  const rates = { address: { perSecond: 0.5, burst: 1 }, failures: GENEROUS };
  const { app } = await newService(t, { rates });
  const ask = async (forwarded: string): Promise<number> =>
    (await app.inject({ url: "/v1/authority", headers: { "x-forwarded-for": forwarded } }))
      .statusCode;
  assert.equal(await ask("192.0.2.1"), 200);
  assert.equal(await ask("192.0.2.2"), 429);
});

test("whoever tries administrator's tokens is not heard any more; the administrator is", async (t) => {
  const rates = { address: GENEROUS, failures: { perSecond: 0.1, burst: 2 } };
  const { app } = await newService(t, { rates });
  const ask = async (headers: Record<string, string>): Promise<string> => {
    const answer = await app.inject({ url: "/v1/reference-values", headers });
    return answer.statusCode === 200 ? "200" : `${answer.statusCode} ${answer.json().code}`;
  };
  assert.equal(await ask(admin), "200");
  for (const guess of ["one", "two"]) {
    assert.equal(await ask({ authorization: `Bearer ${guess}` }), "401 ADMIN_REQUIRED");
  }
  assert.equal(await ask({ authorization: "Bearer three" }), "429 RATE_LIMITED");
  assert.equal(await ask({}), "401 ADMIN_REQUIRED");
  assert.equal(await ask(admin), "200");
});

test("a request has the id that its caller gave it, if it is one, in refusals too", async (t) => {
  const { app } = await newService(t);
  const idOf = async (url: string, given: string): Promise<unknown> =>
    (await app.inject({ url, headers: { "x-request-id": given } })).headers["x-request-id"];
  assert.equal(await idOf("/healthz", "mine-1"), "mine-1");
  assert.equal(await idOf("/nowhere", "mine-2"), "mine-2");
  assert.match(String(await idOf("/healthz", "not plain\t")), /^[0-9a-f-]{36}$/);
});

test("ready while decisions can be written, and says so when they can't", async (t) => {
  const { app } = await newService(t);
  assert.deepEqual((await app.inject("/readyz")).json(), { status: "ready" });
  const { app: broken } = await newService(t, { brokenLog: true });
  const answer = await broken.inject("/readyz");
  assert.deepEqual([answer.statusCode, answer.json().code], [503, "NOT_READY"]);
  assert.match(answer.json().detail, /log of decisions/);
  assert.equal((await broken.inject("/healthz")).statusCode, 200);
});

test("counts what it answered, for the administrator alone", async (t) => {
  const { app } = await newService(t);
  await app.inject({ method: "POST", url: "/v1/challenges" });
  assert.equal((await app.inject("/metrics")).statusCode, 401);
  const { body, headers } = await app.inject({ url: "/metrics", headers: admin });
  assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/);
  assert.match(body, /_count\{method="POST",route="\/v1\/challenges",status="201"\} 1/);
});

test("what is no request is answered with a problem document", async (t) => {
  const { app } = await newService(t);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  const said: Buffer[] = [];
  socket.on("data", (part: Buffer) => said.push(part));
  socket.write("nonsense\r\n\r\n");
  await once(socket, "close");
  const answer = Buffer.concat(said).toString();
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.match(answer, /"code":"REQUEST_INVALID"/);
});

test("a request that comes on an open connection while the service ends is told so", {
  timeout: 60_000,
}, async (t) => {
  const { app } = await newService(t);
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
  app.addHook("onRequest", async () => hear());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  let said = "";
  socket.on("data", (part: Buffer) => {
    said += part.toString();
  });
  const head = "HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  socket.write(`POST /v1/certificates ${head}content-length: 2\r\n\r\n`);
  await heard;
  const closed = app.close();
  while (app.server.listening) await new Promise((resolve) => setImmediate(resolve));
  socket.write(`{}POST /v1/challenges ${head}content-length: 0\r\n\r\n`);
  await once(socket, "close");
  await closed;
  assert.match(said, /^HTTP\/1\.1 400 [\s\S]*HTTP\/1\.1 503 [\s\S]*SHUTTING_DOWN/);
});
