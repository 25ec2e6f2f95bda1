// Reading goes on after a break only with the very bytes that were asked for. The stores here answer what no sound one
// does: they know no ranges, or no If-Match, and nothing else would tell, for their ETags are no digests.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newS3Client } from "../s3-client.ts";
import { S3Object } from "./s3-object.ts";

const SIZE = 3_000_000;
const BREAK = 1_000_000;
const object = randomBytes(SIZE);
const another = randomBytes(SIZE);
const [ETAG, OTHER_ETAG] = ['"0123456789abcdef0123456789abcdef-3"', '"abcdef-3"'];

interface Resumed {
  readonly status: number;
  readonly etag: string;
  readonly range?: string;
  readonly bytes: Uint8Array;
}

const LIMIT = { timeout: 60_000 };

/** A store on loopback; `answer` is told where a request asks to go on, and nothing when it asks for the whole. */
async function withStore<T>(
  answer: (response: ServerResponse, from: number | undefined) => void,
  work: (open: (silenceMs: number) => Promise<S3Object>) => Promise<T>,
): Promise<T> {
  const server = createServer(({ headers }, response) => {
    const from = /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1];
    answer(response, from === undefined ? undefined : Number(from));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
  const client = await newS3Client({ endpoint, force_path_style: true }, credentials);
  const { signal } = new AbortController();
  try {
    return await work((silenceMs) =>
      S3Object.open(client, { bucket: "b", key: "k" }, { signal, silenceMs }),
    );
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

function begin(response: ServerResponse, { status, etag, range, bytes }: Resumed): void {
  const partly = range === undefined ? {} : { "content-range": range };
  response.writeHead(status, { etag, "content-length": bytes.length, ...partly });
}

/** Reads an object whose first connection breaks; answers what came of it before reading ended or failed. */
async function readBroken(
  answerTo: (from: number) => Resumed,
): Promise<{ bytes: Buffer; failure: string | undefined }> {
  const got: Uint8Array[] = [];
  const answer = (response: ServerResponse, from: number | undefined): void => {
    if (from === undefined) {
      begin(response, { status: 200, etag: ETAG, bytes: object });
      response.write(object.subarray(0, BREAK), () => response.destroy());
      return;
    }
    const resumed = answerTo(from);
    begin(response, resumed);
    response.end(resumed.bytes);
  };
  return await withStore(answer, async (open) => {
    try {
      for await (const part of (await open(10_000)).read(0)) got.push(part);
      return { bytes: Buffer.concat(got), failure: undefined };
    } catch (thrown) {
      return { bytes: Buffer.concat(got), failure: (thrown as Error).message };
    }
  });
}

function rangeOf(from: number, length: number): string {
  return `bytes ${from}-${from + length - 1}/${SIZE}`;
}

test("reading goes on with the part that was asked for", async () => {
  const { bytes, failure } = await readBroken((from) => {
    const rest = object.subarray(from);
    return { status: 206, etag: ETAG, range: rangeOf(from, rest.length), bytes: rest };
  });
  assert.equal(failure, undefined);
  assert.equal(bytes.equals(object), true);
});

const cases: readonly [string, RegExp, (from: number) => Resumed][] = [
  [
    "the whole of it",
    /another part of the object/,
    () => ({ status: 200, etag: ETAG, bytes: object }),
  ],
  [
    "a part of the right length from elsewhere",
    /another part of the object/,
    (from) => {
      const bytes = object.subarray(0, SIZE - from);
      return { status: 206, etag: ETAG, range: rangeOf(0, bytes.length), bytes };
    },
  ],
  [
    "the part of another object",
    /another object/,
    (from) => {
      const bytes = another.subarray(from);
      return { status: 206, etag: OTHER_ETAG, range: rangeOf(from, bytes.length), bytes };
    },
  ],
];
for (const [what, reason, answerTo] of cases) {
  test(`reading does not go on with ${what}`, async () => {
    const { bytes, failure } = await readBroken(answerTo);
    assert.match(failure ?? "", reason);
    assert.ok(bytes.length <= BREAK);
    assert.equal(bytes.equals(object.subarray(0, bytes.length)), true);
  });
}

test("refused: an answer that is any web server's, without an ETag", LIMIT, async () => {
  const page = (response: ServerResponse): void => {
    const body = "<html>welcome</html>";
    response.writeHead(200, { "content-type": "text/html", "content-length": body.length });
    response.end(body);
  };
  await withStore(page, (open) => assert.rejects(open(10_000), /no ETag/));
});

/** Reads until nothing more comes within a while; answers how much came, and leaves the reading waiting. */
async function readUntilSilent(read: AsyncGenerator<Uint8Array>): Promise<number> {
  let length = 0;
  for (;;) {
    const coming = read.next();
    coming.catch(() => undefined);
    const next = await Promise.race([coming, sleep(200)]);
    if (next?.value === undefined) return length;
    length += next.value.length;
  }
}

test(
  "a store that says nothing more is the one to blame, however often reading begins anew",
  LIMIT,
  async () => {
    const answer = (response: ServerResponse, from: number | undefined): void => {
      if (from !== undefined) return;
      begin(response, { status: 200, etag: ETAG, bytes: object });
      response.write(object.subarray(0, BREAK));
    };
    await withStore(answer, async (open) => {
      const silent = await open(1000);
      let at = await readUntilSilent(silent.read(0));
      await assert.rejects(async () => {
        for (let times = 0; times < 100; times += 1) at += await readUntilSilent(silent.read(at));
      }, /nothing came for \d+ ms/);
      assert.match(String(silent.failure), /nothing came for/);
      silent.abandon();
    });
  },
);

test("a reading that is over takes nothing from the one that goes on", LIMIT, async () => {
  const asked: number[] = [];
  const answer = (response: ServerResponse, from: number | undefined): void => {
    if (from === undefined) {
      begin(response, { status: 200, etag: ETAG, bytes: object });
      response.write(object.subarray(0, BREAK));
      return;
    }
    asked.push(from);
    const bytes = object.subarray(from);
    begin(response, { status: 206, etag: ETAG, range: rangeOf(from, bytes.length), bytes });
    response.write(bytes.subarray(0, bytes.length / 2));
    // Longer than whoever lost a connection waits before he asks for another.
    setTimeout(() => response.end(bytes.subarray(bytes.length / 2)), 600);
  };
  await withStore(answer, async (open) => {
    const read = await open(20_000);
    const at = await readUntilSilent(read.read(0));
    const rest: Uint8Array[] = [];
    for await (const part of read.read(at)) rest.push(part);
    assert.equal(Buffer.concat(rest).equals(object.subarray(at)), true);
    assert.deepEqual(asked, [at]);
    assert.equal(read.failure, undefined);
  });
});
