import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, suite, test } from "node:test";
import { crc32 } from "node:zlib";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { systemClock } from "@holdfast/core";
import { type ObjectStore, startObjectStore } from "./object-store.ts";

const CREDENTIALS = { accessKeyId: "CAMERA", secretAccessKey: "right", region: "eu-test-1" };

suite("object store", () => {
  let directory: string;
  let store: ObjectStore;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-store-test-"));
    store = await startObjectStore({
      directory,
      bucket: "videos",
      credentials: CREDENTIALS,
      listen: { host: "127.0.0.1", port: 0 },
      clock: systemClock,
    });
  });
  after(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  function client(changes: Partial<typeof CREDENTIALS> & { skewMs?: number } = {}): S3Client {
    const { region, skewMs, ...credentials } = { ...CREDENTIALS, ...changes };
    return new S3Client({
      endpoint: store.url,
      forcePathStyle: true,
      region,
      credentials,
      maxAttempts: 1,
      ...(skewMs === undefined ? {} : { systemClockOffset: skewMs }),
    });
  }

  const put = (s3: S3Client, key: string, body: Uint8Array | Readable, length?: number) =>
    s3.send(
      new PutObjectCommand({
        Bucket: "videos",
        Key: key,
        Body: body,
        ...(length === undefined ? {} : { ContentLength: length }),
      }),
    );
  const get = (s3: S3Client, key: string, range?: string) =>
    s3.send(
      new GetObjectCommand({ Bucket: "videos", Key: key, ...(range ? { Range: range } : {}) }),
    );

  test("gives back what was put in, also under a name that needs escaping", async () => {
    const bytes = randomBytes(300_000);
    for (const key of ["plain", "a folder/ä b+c=(1).h264"]) {
      await put(client(), key, bytes);
      const { Body } = await get(client(), key);
      assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), bytes);
    }
    const { Body, ContentRange } = await get(client(), "plain", "bytes=10-19");
    assert.deepEqual(
      Buffer.from((await Body?.transformToByteArray()) ?? []),
      bytes.subarray(10, 20),
    );
    assert.equal(ContentRange, "bytes 10-19/300000");
    const head = await client().send(new HeadObjectCommand({ Bucket: "videos", Key: "plain" }));
    assert.equal(head.ContentLength, 300_000);
  });

  test("takes a stream of known length", async () => {
    const bytes = randomBytes(2_000_000);
    await put(
      client(),
      "stream",
      Readable.from([bytes.subarray(0, 999), bytes.subarray(999)]),
      bytes.length,
    );
    const { Body } = await get(client(), "stream");
    assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), bytes);
  });

  for (const [fault, changes, code] of [
    ["a wrong secret", { secretAccessKey: "wrong" }, "SignatureDoesNotMatch"],
    ["an unknown key id", { accessKeyId: "NOBODY" }, "InvalidAccessKeyId"],
    ["another region", { region: "us-east-1" }, "AuthorizationHeaderMalformed"],
    ["a clock an hour off", { skewMs: 3_600_000 }, "RequestTimeTooSkewed"],
  ] as const) {
    test(`refuses ${fault}`, async () => {
      await put(client(), "guarded", Buffer.from("x"));
      await assert.rejects(get(client(changes), "guarded"), { name: code });
      await assert.rejects(put(client(changes), "guarded", Buffer.from("y")), { name: code });
      const { Body } = await get(client(), "guarded");
      assert.equal(await Body?.transformToString(), "x");
    });
  }

  test("refuses a request without a signature", async () => {
    const answer = await fetch(`${store.url}/videos/guarded`);
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /AccessDenied/);
  });

  test("refuses a signature moved to another object, method or query", async () => {
    await put(client(), "moved", Buffer.from("secret"));
    const headers = await signedHeaders("moved");
    const at = (path: string, method = "GET") => send(path, method, headers);
    assert.equal((await at("/videos/moved?x-id=GetObject")).status, 200);
    assert.equal((await at("/videos/guarded?x-id=GetObject")).status, 403);
    assert.equal((await at("/videos/moved?x-id=GetObject", "DELETE")).status, 403);
    assert.equal((await at("/videos/moved?x-id=GetObject&acl")).status, 403);
  });

  test("takes out a body that is not the one that was signed", async () => {
    const captured = await capture(async (s3) => put(s3, "swapped", Buffer.from("as signed!")));
    const { headers, path } = captured;
    const answer = await send(path, "PUT", headers, "as changed");
    assert.equal(answer.status, 400);
    assert.match(answer.text, /XAmzContentSHA256Mismatch/);
    await assert.rejects(get(client(), "swapped"), { name: "NoSuchKey" });
  });

  test("says nothing of a stream before its checksum has come", async () => {
    const bytes = Buffer.from("streamed");
    const { headers, path } = await capture(async (s3) =>
      put(s3, "slow", Readable.from([bytes]), bytes.length),
    );
    const { hostname, port } = new URL(store.url);
    const framed = { ...headers, "transfer-encoding": "chunked" };
    delete (framed as Record<string, string>)["expect"];
    const call = httpRequest({ hostname, port, path, method: "PUT", headers: framed });
    const answered = new Promise<number>((resolve, reject) => {
      call.once("response", (answer) => resolve(answer.resume().statusCode ?? 0));
      call.once("error", reject);
    });
    call.write("8\r\nstreamed\r\n0\r\n");
    // Whatever the store would do with all the data is done once it has answered somebody else after that.
    await put(client(), "other", randomBytes(200_000));
    const early = await Promise.race([answered, Promise.resolve("nothing")]);
    assert.equal(early, "nothing");
    await assert.rejects(get(client(), "slow"), { name: "NoSuchKey" });
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(bytes));
    call.end(`x-amz-checksum-crc32:${checksum.toString("base64")}\r\n\r\n`);
    assert.equal(await answered, 200);
    const { Body } = await get(client(), "slow");
    assert.equal(await Body?.transformToString(), "streamed");
  });

  async function signedHeaders(key: string): Promise<Record<string, string>> {
    return (await capture(async (s3) => get(s3, key))).headers;
  }

  /** Signs a request as the SDK does, without sending it. */
  async function capture(
    call: (s3: S3Client) => Promise<unknown>,
  ): Promise<{ headers: Record<string, string>; path: string }> {
    const s3 = client();
    let found: { headers: Record<string, string>; path: string } | undefined;
    s3.middlewareStack.add(
      () => async (args) => {
        const { headers, path, query } = args.request as {
          headers: Record<string, string>;
          path: string;
          query: Record<string, string>;
        };
        found = { headers: { ...headers }, path: `${path}?${new URLSearchParams(query)}` };
        throw new Error("captured");
      },
      { step: "finalizeRequest", priority: "low" },
    );
    await assert.rejects(call(s3), /captured/);
    assert.ok(found);
    return found;
  }

  function send(
    path: string,
    method: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(store.url);
      const call = httpRequest({ hostname, port, path, method, headers }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      call.on("error", reject);
      call.end(body);
    });
  }
});
