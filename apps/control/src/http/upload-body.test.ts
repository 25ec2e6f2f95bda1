// Bodies whose sender leaves, before or while they are read: nobody waits for the rest.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, describe, it } from "node:test";
import type { ControlError } from "../errors.ts";
import { incomingBytes } from "./upload-body.ts";

const HEAD = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";

describe("incoming bodies", { concurrency: false }, () => {
  const server = createServer();
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());

  async function begin(sent: string): Promise<{ request: IncomingMessage; leave: () => void }> {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(HEAD + sent);
    const [request] = (await once(server, "request")) as [IncomingMessage];
    return { request, leave: () => void socket.destroy() };
  }

  it("end when their sender was gone before they were read", async () => {
    const { request, leave } = await begin("");
    const closed = new Promise((resolve) => request.once("close", resolve));
    request.on("error", () => undefined);
    leave();
    await closed;
    await assert.rejects(readAll(request), broken);
  });

  it("end when their sender leaves while they are read", async () => {
    const { request, leave } = await begin("some of it");
    const reading = readAll(request);
    leave();
    await assert.rejects(reading, broken);
  });

  it("end when their sender falls silent", async () => {
    const { request, leave } = await begin("some of it");
    await assert.rejects(readAll(request, 50), broken);
    leave();
  });
});

async function readAll(request: IncomingMessage, silenceMs?: number): Promise<void> {
  for await (const _part of incomingBytes(request, silenceMs));
}

function broken(thrown: ControlError): boolean {
  return thrown.code === "UPLOAD_BROKEN";
}
