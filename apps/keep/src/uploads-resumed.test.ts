// A client whose connection breaks while it uploads, or whose source does.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ChannelError, type KeepConnection } from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { fromText, type HttpTransport, readBody } from "@holdfast/core";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { READ, WRITE } from "./testing/test-policy.ts";
import { textAt } from "./testing/upload-calls.ts";

describe("uploads that break", { timeout: 60_000 }, () => {
  let keep: TestKeep;
  let owner: KeepClient;
  let connection: KeepConnection;

  before(async () => {
    keep = await startTestKeep({ rights: [{ "/in/": READ | WRITE }], maxMemoryMib: 16 });
    owner = await keep.client(0);
    connection = await keep.connection(0);
  });

  after(() => keep.close());

  test("the client goes on from where the connection broke", async () => {
    const bytes = new Uint8Array(randomBytes(5_000_000));
    const starts: number[] = [];
    const progress: number[] = [];
    const client = new KeepClient(breaking(connection, [1_000_000, 2_000_000]));
    const stored = await client.uploadFile(
      "/in/broken",
      (offset) => {
        starts.push(offset);
        return slices(bytes, offset);
      },
      {
        size: bytes.length,
        sha256: new Uint8Array(createHash("sha256").update(bytes).digest()),
        onProgress: (sent) => progress.push(sent),
        waitMs: 1,
      },
    );
    assert.equal(stored.size, bytes.length);
    assert.equal(starts.length, 3);
    assert.ok((starts[1] ?? 0) > 0 && (starts[2] ?? 0) > (starts[1] ?? 0), starts.join(" "));
    assert.equal(progress.at(-1), bytes.length);
    const { body } = await owner.readFile("/in/broken");
    assert.deepEqual(await readBody(body, bytes.length), bytes);
  });

  test("the client gives up when nothing moves any more", async () => {
    const client = new KeepClient(breaking(connection, [0, 0, 0, 0, 0]));
    const call = client.uploadFile("/in/never", (offset) => slices(new Uint8Array(10), offset), {
      size: 10,
      attempts: 2,
      waitMs: 1,
    });
    await assert.rejects(call, ChannelError);
    await refused("FILE_MISSING", owner.readFile("/in/never"));
  });

  test("a source that fails is not asked again", async () => {
    let asked = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      asked += 1;
      yield fromText("abc");
      throw new Error("the disk is gone");
    };
    await assert.rejects(owner.uploadFile("/in/never", source, { size: 10 }), /the disk is gone/);
    assert.equal(asked, 1);
  });

  for (const append of [false, true]) {
    test(`a client whose last answer was lost learns that it ${append ? "appended" : "wrote"}`, async () => {
      await owner.putFile("/in/told", fromText("before "));
      const deaf: HttpTransport = {
        async request(request) {
          const answer = await connection.request(request);
          if (request.method !== "PATCH" || heard) return answer;
          heard = true;
          throw new ChannelError("CHANNEL_CLOSED", "the answer was lost");
        },
      };
      let heard = false;
      let opened = 0;
      const stored = await new KeepClient(deaf).uploadFile(
        "/in/told",
        (offset) => {
          opened += 1;
          return slices(fromText("after"), offset);
        },
        { size: 5, append, waitMs: 1 },
      );
      assert.equal(stored.size, append ? 12 : 5);
      assert.equal(opened, 2);
      assert.equal(await textAt(owner, "/in/told"), append ? "before after" : "after");
    });
  }
});

/** A transport that loses the connection once after each of the numbers of bytes sent. */
function breaking(transport: HttpTransport, breaks: number[]): HttpTransport {
  return {
    async request(request) {
      const { body } = request;
      if (request.method !== "PATCH" || body === undefined || body instanceof Uint8Array) {
        return transport.request(request);
      }
      const stop = breaks.shift();
      const line = new AbortController();
      return transport.request({ ...request, signal: line.signal, body: cut(body, stop, line) });
    },
  };
}

async function* cut(
  body: AsyncIterable<Uint8Array>,
  stop: number | undefined,
  line: AbortController,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const part of body) {
    if (stop !== undefined && sent >= stop) {
      // The rest waits for an answer that does not come any more.
      setTimeout(() => line.abort(), 50);
      await new Promise((resolve) => line.signal.addEventListener("abort", resolve));
    }
    yield part;
    sent += part.length;
  }
}

async function* slices(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}
