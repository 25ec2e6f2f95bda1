// Exchanges with keeps that do not keep to the rules: each ends, none with somebody else's bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { fromText, type HttpResponse, readBody, systemClock, toText } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { ChannelError, connectKeep, type KeepConnection } from "../index.ts";
import { openJudged } from "../open-judged.ts";
import { type SmallKeep, startSmallKeep } from "../testing/small-keep.ts";
import { Inbox } from "./inbox.ts";
import { requestHead } from "./request-head.ts";
import { Wire } from "./wire.ts";

const LIMIT = { timeout: 30_000 };
const GET = { method: "GET", path: "/" };
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const hasCode = (code: string) => (thrown: unknown) =>
  thrown instanceof ChannelError && thrown.code === code;
const closed = hasCode("CHANNEL_CLOSED");

interface Raw {
  readonly connection: KeepConnection;
  readonly keep: SmallKeep;
  /** Connections so far. */
  readonly sockets: TLSSocket[];
}

/** A proven keep that says what the test wants, to each piece it receives. */
async function withRaw(
  answer: (socket: TLSSocket, piece: string, turn: number) => void,
  use: (raw: Raw) => Promise<void>,
  timeoutMs = 20_000,
): Promise<void> {
  const keep = await startSmallKeep(systemClock);
  const sockets: TLSSocket[] = [];
  keep.server.removeAllListeners("secureConnection");
  keep.server.on("secureConnection", (socket: TLSSocket) => {
    let turn = 0;
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece) => {
      turn += 1;
      answer(socket, piece.toString("latin1"), turn);
    });
  });
  const connection = await connectKeep({ ...keep, clock: systemClock, timeoutMs });
  // In TLS 1.3 the client has finished its handshake before the keep.
  while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  try {
    await use({ connection, keep, sockets });
  } finally {
    connection.close();
    for (const socket of sockets) socket.destroy();
    await keep.close();
  }
}

async function textOf({ body }: HttpResponse): Promise<string> {
  return toText((await readBody(body, 1 << 26)) ?? new Uint8Array());
}

test("one connection serves one request after the other", LIMIT, () =>
  withRaw(
    (socket) => socket.write(OK),
    async ({ connection, sockets }) => {
      for (let turn = 0; turn < 3; turn += 1) {
        assert.equal(await textOf(await connection.request(GET)), "ok");
      }
      assert.equal(sockets.length, 1);
    },
  ),
);

test("an answer that nobody reads holds no connection", LIMIT, () =>
  withRaw(
    (socket) => socket.write(OK),
    async ({ connection, sockets }) => {
      for (let turn = 0; turn < 20; turn += 1) await connection.request(GET);
      assert.equal(sockets.length, 1);
    },
  ),
);

test("an answer that just fills what waits for a reader lets the next one through", LIMIT, () =>
  withRaw(
    (socket, piece) => {
      const size = Number(/GET \/(\d+)/.exec(piece)?.[1] ?? 0);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    },
    async ({ connection, sockets }) => {
      for (let size = 1 << 20; size <= (1 << 20) + (1 << 17); size += 1 << 13) {
        const large = await connection.request({ ...GET, path: `/${size}` });
        const small = await connection.request({ ...GET, path: "/3" });
        assert.equal((await textOf(small)).length, 3);
        assert.equal((await textOf(large)).length, size);
      }
      assert.ok(sockets.length <= 2, `${sockets.length}`);
    },
  ),
);

test("an answer that nobody ever reads does not hold its connection for ever", LIMIT, async () => {
  const keep = await startSmallKeep(systemClock);
  keep.server.removeAllListeners("request");
  keep.server.on("request", (_request, response) => response.end(Buffer.alloc(1 << 25)));
  const inbox = new Inbox();
  const { socket } = await openJudged(
    { ...keep, clock: systemClock },
    await policyHash(keep.policy.text),
    inbox,
  );
  const gone = Promise.withResolvers<void>();
  const watch = { onFree: () => undefined, onGone: () => gone.resolve() };
  const wire = new Wire({ socket, inbox, watch, timeoutMs: 20_000, readerTimeoutMs: 100 });
  const { body } = await wire.exchange(GET, requestHead(GET, "keep"));
  await gone.promise;
  await assert.rejects(readBody(body, 1 << 26), hasCode("CHANNEL_TIMEOUT"));
  await keep.close();
});

test("no more than eight at once; the others wait for their turn", LIMIT, () => {
  const held: TLSSocket[] = [];
  return withRaw(
    (socket) => {
      held.push(socket);
      if (held.length >= 8) for (const each of held.splice(0)) each.write(OK);
    },
    async ({ connection, sockets }) => {
      const answers = await Promise.all(Array.from({ length: 16 }, () => connection.request(GET)));
      assert.deepEqual(new Set(await Promise.all(answers.map(textOf))), new Set(["ok"]));
      assert.equal(sockets.length, 8);
    },
  );
});

test("whoever waits for a turn can leave, and does not take it along", LIMIT, () => {
  const held: TLSSocket[] = [];
  return withRaw(
    (socket) => held.push(socket),
    async ({ connection }) => {
      const first = Array.from({ length: 8 }, () => connection.request(GET));
      const leaving = new AbortController();
      const left = connection.request({ ...GET, signal: leaving.signal });
      const last = connection.request(GET);
      leaving.abort();
      await assert.rejects(left, closed);
      const ticker = setInterval(() => {
        for (const each of held.splice(0)) each.write(OK);
      }, 5);
      const answers = await Promise.all([...first, last]);
      clearInterval(ticker);
      assert.equal(answers.length, 9);
    },
  );
});

for (const [fault, said] of [
  ["more than its answer", `${OK}HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad`],
  ["what is not HTTP", "220 ready\r\n\r\n"],
] as const) {
  test(`a keep that says ${fault} is not asked again on that connection`, LIMIT, () =>
    withRaw(
      (socket, piece) => socket.write(piece.includes("/bad") ? said : OK),
      async ({ connection, sockets }) => {
        const gone = new Promise((resolve) => sockets[0]?.once("close", resolve));
        const bad = connection.request({ ...GET, path: "/bad" });
        await bad.then(textOf).catch(() => undefined);
        await gone;
        assert.equal(await textOf(await connection.request(GET)), "ok");
        assert.equal(sockets.length, 2);
      },
    ),
  );
}

test("a keep that speaks before it is asked is not believed", LIMIT, () =>
  withRaw(
    (socket) => socket.write(OK),
    async ({ connection, sockets }) => {
      const gone = new Promise((resolve) => sockets[0]?.once("close", resolve));
      sockets[0]?.write(OK);
      await gone;
      assert.equal(await textOf(await connection.request(GET)), "ok");
      assert.equal(sockets.length, 2);
    },
  ),
);

test("an answer that is cut off is never taken for a whole one", LIMIT, () =>
  withRaw(
    (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
    async ({ connection }) => {
      const { body } = await connection.request(GET);
      await assert.rejects(readBody(body, 100), closed);
    },
  ),
);

test("a keep that hangs up instead of answering", LIMIT, () =>
  withRaw(
    (socket) => socket.destroy(),
    ({ connection }) => assert.rejects(connection.request(GET), closed),
  ),
);

test("a keep that falls silent, before the answer or within it, is given up", LIMIT, () =>
  withRaw(
    (socket, piece) => {
      if (piece.includes("/within")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx");
    },
    async ({ connection }) => {
      await assert.rejects(connection.request(GET), hasCode("CHANNEL_TIMEOUT"));
      const { body } = await connection.request({ ...GET, path: "/within" });
      await assert.rejects(readBody(body, 100), hasCode("CHANNEL_TIMEOUT"));
    },
    1500,
  ),
);

test("a reader that takes its time is not the keep's silence", LIMIT, () => {
  const size = 4 * 1024 * 1024;
  return withRaw(
    (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    },
    async ({ connection }) => {
      const { body } = await connection.request(GET);
      // Longer than the limit on silence below, with the queue full.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      assert.equal((await readBody(body, size))?.length, size);
    },
    1000,
  );
});

test(
  "a reader that leaves early closes the connection; the next request has another",
  LIMIT,
  () => {
    const size = 8 * 1024 * 1024;
    return withRaw(
      (socket, piece) => {
        if (!piece.includes("/large")) return void socket.write(OK);
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size));
      },
      async ({ connection, sockets }) => {
        const { body } = await connection.request({ ...GET, path: "/large" });
        for await (const _ of body) break;
        assert.equal(await textOf(await connection.request(GET)), "ok");
        assert.equal(sockets.length, 2);
      },
    );
  },
);

test("an answer that comes before the body was sent counts, and ends the sending", LIMIT, () =>
  withRaw(
    (socket, _piece, turn) => {
      if (turn === 1) socket.write("HTTP/1.1 413 No\r\ncontent-length: 3\r\n\r\nbig");
    },
    async ({ connection }) => {
      let isReturned = false;
      const endless = (async function* () {
        try {
          for (;;) yield new Uint8Array(100_000);
        } finally {
          isReturned = true;
        }
      })();
      const answer = await connection.request({ method: "PUT", path: "/", body: endless });
      assert.equal(answer.status, 413);
      assert.equal(await textOf(answer), "big");
      while (!isReturned) await new Promise((resolve) => setImmediate(resolve));
    },
  ),
);

test("a source of another length than it said breaks the request", LIMIT, () =>
  withRaw(
    () => undefined,
    async ({ connection }) => {
      for (const given of ["too short", "far too long for what was said"]) {
        const request = connection.request({
          method: "PUT",
          path: "/",
          headers: { "content-length": "12" },
          body: (async function* () {
            yield fromText(given);
          })(),
        });
        await assert.rejects(request, closed, given);
      }
    },
  ),
);

test("a body without a length goes in chunks", LIMIT, async () => {
  const keep = await startSmallKeep(systemClock);
  let received = 0;
  keep.server.removeAllListeners("request");
  keep.server.on("request", (request, response) => {
    request.on("data", (part: Uint8Array) => {
      received += part.length;
    });
    request.once("end", () => {
      response.write("some ");
      response.end("more");
    });
  });
  const connection = await connectKeep({ ...keep, clock: systemClock });
  const answer = await connection.request({
    method: "PUT",
    path: "/",
    body: (async function* () {
      for (const size of [1, 0, 70_000, 3_000_000]) yield new Uint8Array(size);
    })(),
  });
  assert.equal(await textOf(answer), "some more");
  assert.equal(received, 3_070_001);
  connection.close();
  await keep.close();
});

test("after it was closed nothing is asked, and nothing waits", LIMIT, () =>
  withRaw(
    () => undefined,
    async ({ connection }) => {
      const requests = Array.from({ length: 12 }, () => connection.request(GET));
      const settled = Promise.allSettled(requests);
      connection.close();
      assert.ok((await settled).every(({ status }) => status === "rejected"));
      await assert.rejects(connection.request(GET), closed);
    },
  ),
);

test("a cancelled request ends its connection, so that the keep can tell", LIMIT, () =>
  withRaw(
    (socket, piece) => {
      if (!piece.includes("/slow")) socket.write(OK);
    },
    async ({ connection, sockets }) => {
      const leaving = new AbortController();
      const slow = connection.request({ ...GET, path: "/slow", signal: leaving.signal });
      const gone = new Promise((resolve) => sockets[0]?.once("close", resolve));
      leaving.abort();
      await assert.rejects(slow, closed);
      await gone;
      await assert.rejects(connection.request({ ...GET, signal: leaving.signal }), closed);
      assert.equal(await textOf(await connection.request(GET)), "ok");
    },
  ),
);
