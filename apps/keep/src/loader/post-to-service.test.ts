// The loader's way to the attestation service: one connection, asked again over another only when it was found closed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { postToService } from "./post-to-service.ts";

const PATH = "/v1/challenges";

async function service(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => connections.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ask: () => postToService(PATH, {}, { url }), connections };
}

test("asks all over one connection", async (t) => {
  const { ask, connections } = await service(t, (_request, response) => response.end("{}"));
  for (let time = 0; time < 3; time += 1)
    assert.deepEqual(await ask(), { status: 200, body: "{}" });
  assert.equal(connections.size, 1);
});

test("asks again over another when the service had closed the first", async (t) => {
  const asked: Socket[] = [];
  const { ask, connections } = await service(t, ({ socket }, response) => {
    if (asked.includes(socket)) socket.destroy();
    else response.end("{}");
    asked.push(socket);
  });
  await ask();
  assert.deepEqual(await ask(), { status: 200, body: "{}" });
  assert.deepEqual([asked.length, connections.size], [3, 2]);
});

test("does not repeat what broke off over a connection of its own", async (t) => {
  let asked = 0;
  const { ask } = await service(t, ({ socket }) => {
    asked += 1;
    socket.destroy();
  });
  await assert.rejects(ask(), { code: "ECONNRESET" });
  assert.equal(asked, 1);
});
