// Reading goes on after a break only with the very bytes that were asked for. The stores here answer what no sound one
// does: they know no ranges, or no If-Match, and nothing else would tell, for their ETags are no digests.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
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

/** Reads an object whose first connection breaks; answers what came of it before reading ended or failed. */
async function readBroken(
  answerTo: (from: number) => Resumed,
): Promise<{ bytes: Buffer; failure: string | undefined }> {
  const send = (response: ServerResponse, { status, etag, range, bytes }: Resumed): void => {
    const partly = range === undefined ? {} : { "content-range": range };
    response.writeHead(status, { etag, "content-length": bytes.length, ...partly });
  };
  const server = createServer(({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? Number.NaN);
    if (Number.isNaN(from)) {
      send(response, { status: 200, etag: ETAG, bytes: object });
      response.write(object.subarray(0, BREAK), () => response.destroy());
      return;
    }
    const resumed = answerTo(from);
    send(response, resumed);
    response.end(resumed.bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
  const client = await newS3Client({ endpoint, force_path_style: true }, credentials);
  const got: Uint8Array[] = [];
  try {
    const options = { signal: new AbortController().signal, silenceMs: 10_000 };
    const read = (await S3Object.open(client, { bucket: "b", key: "k" }, options)).read(0);
    for await (const part of read) got.push(part);
    return { bytes: Buffer.concat(got), failure: undefined };
  } catch (thrown) {
    return { bytes: Buffer.concat(got), failure: (thrown as Error).message };
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
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
