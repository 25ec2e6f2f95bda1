// What one that is slow, or many at once, can take from a service.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createServiceServer, type ServiceServerOptions } from "./service-server.ts";

async function serve(t: TestContext, options: ServiceServerOptions): Promise<() => Socket> {
  const server = createServiceServer((request, answer) => {
    request.resume().once("end", () => answer.end("here"));
  }, options);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return () => {
    const socket = connect({ port, host: "127.0.0.1" }).setEncoding("utf8");
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    return socket;
  };
}

async function all(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part: string) => {
    text += part;
  });
  await once(socket, "close");
  return text;
}

test("cut off: who sends no whole headers", async (t) => {
  const open = await serve(t, { headersTimeoutMs: 100 });
  const silent = open();
  const slow = open();
  slow.write("GET / HTTP/1.1\r\nhost: x\r\n");
  assert.match(await all(slow), /^HTTP\/1\.1 408 |^$/);
  assert.match(await all(silent), /^HTTP\/1\.1 408 |^$/);
});

test("cut off: who sends no whole request in its time", async (t) => {
  const open = await serve(t, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
  const slow = open();
  slow.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf");
  assert.match(await all(slow), /^HTTP\/1\.1 408 /);
});

test("refused: headers over 16 KiB, the address among them", async (t) => {
  const open = await serve(t, {});
  for (const head of [
    `GET /${"x".repeat(17_000)} HTTP/1.1`,
    `GET / HTTP/1.1\r\nx: ${"y".repeat(17_000)}`,
  ]) {
    const socket = open();
    socket.write(`${head}\r\nhost: x\r\n\r\n`);
    assert.match(await all(socket), /^HTTP\/1\.1 431 /);
  }
});

test("refused: connections over their number, and taken again when there is room", async (t) => {
  const open = await serve(t, { maxConnections: 2 });
  const ask = async (socket: Socket): Promise<string> => {
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [text] = await Promise.race([once(socket, "data"), once(socket, "close")]);
    return String(text);
  };
  const [first, second] = [open(), open()];
  assert.match(await ask(first), /^HTTP\/1\.1 200 /);
  assert.match(await ask(second), /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(await ask(open()), /^HTTP/);
  first.destroy();
  for (let i = 0; i < 200; i += 1) {
    if (/^HTTP\/1\.1 200 /.test(await ask(open()))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail("no room is made");
});
