// Writing ends, whatever the reader does.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import type { Answer } from "./exchange.ts";
import { writeAnswer } from "./write-answer.ts";

const LIMIT = { timeout: 20_000 };

/** Gives one response, and the client's end of its connection, to a test. */
async function withResponse(
  use: (response: ServerResponse, client: Socket) => Promise<void>,
): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => client.destroy());
  try {
    const asked = once(server, "request");
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [, response] = (await asked) as [unknown, ServerResponse];
    response.on("error", () => undefined);
    await use(response, client);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

/** A body that notes what becomes of it. */
function noting(parts: readonly Uint8Array[]): { answer: Answer; calls: string[] } {
  const calls: string[] = [];
  const each = parts[Symbol.iterator]();
  const stream: IterableIterator<Uint8Array> = {
    next() {
      calls.push("next");
      return each.next();
    },
    return() {
      calls.push("return");
      return { done: true, value: undefined };
    },
    [Symbol.iterator]: () => stream,
  };
  return { answer: { status: 200, stream, after: () => calls.push("after") }, calls };
}

test("a connection that closed before the answer: nothing of the body is taken", LIMIT, () =>
  withResponse(async (response, client) => {
    const closed = once(response, "close");
    client.destroy();
    await closed;
    const { answer, calls } = noting([new Uint8Array(10)]);
    await writeAnswer(response, answer, true);
    assert.deepEqual(calls, ["return", "after"]);
  }),
);

test("a connection that closes within the answer", LIMIT, () =>
  withResponse(async (response, client) => {
    const part = new Uint8Array(1024 * 1024);
    const { answer, calls } = noting(Array.from({ length: 64 }, () => part));
    client.once("data", () => client.destroy());
    await writeAnswer(response, answer, true);
    assert.deepEqual(calls.slice(-2), ["return", "after"]);
    assert.ok(calls.length < 64, `${calls.length}`);
  }),
);

test("an answer to HEAD takes nothing of the body", LIMIT, () =>
  withResponse(async (response, client) => {
    client.resume();
    const { answer, calls } = noting([new Uint8Array(10)]);
    await writeAnswer(response, answer, false);
    assert.deepEqual(calls, ["return", "after"]);
  }),
);

test("a reader that does not take the end of an answer is let go", LIMIT, (context) =>
  withResponse(async (response, client) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    client.pause();
    const { answer, calls } = noting([new Uint8Array(32 * 1024 * 1024)]);
    const written = writeAnswer(response, answer, true);
    let isWritten = false;
    written.then(() => {
      isWritten = true;
    });
    while (!isWritten) {
      context.mock.timers.tick(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(response.destroyed);
    assert.equal(calls.at(-1), "after");
  }),
);
