// Objects as the bridge reads them, checked against every checksum that S3 may give. No store that can be installed here
// gives them all, so a front adds them to the answers of the demo's store; requests, signatures and bytes are the store's.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { systemClock } from "@holdfast/core";
import {
  type ObjectStore,
  startObjectStore,
} from "../../apps/cli/src/object-store/object-store.ts";
import { Crc } from "../../apps/control/src/bridge/checksums/crc.ts";
import { S3Object } from "../../apps/control/src/bridge/s3-object.ts";
import { newS3Client } from "../../apps/control/src/s3-client.ts";

const BUCKET = "objects";
const KEY = "object";
const OBJECT = Buffer.from(new Uint8Array(900_000).map((_, index) => (index * index) >> 3));
const PARTS = [400_000, 400_000, 100_000];
const credentials = { accessKeyId: "BRIDGE", secretAccessKey: "secret" };
const region = "us-east-1";
/** Its ETag is then no digest. */
const KMS = { "x-amz-server-side-encryption": "aws:kms" };

describe("objects of S3 with checksums", { concurrency: false }, () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-checksums-"));
  let store: ObjectStore;
  let front: Front;
  let client: S3Client;

  before(async () => {
    store = await startObjectStore({
      directory,
      bucket: BUCKET,
      credentials: { ...credentials, region },
      listen: { host: "127.0.0.1", port: 0 },
      clock: systemClock,
    });
    front = await startFront(store.url);
    const settings = { endpoint: front.url, region, force_path_style: true };
    client = await newS3Client(settings, credentials);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: OBJECT }));
  });
  after(async () => {
    client?.destroy();
    await front?.close();
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
  const crc = (make: () => Crc, bytes: Uint8Array): Uint8Array => {
    const check = make();
    check.update(bytes);
    return check.digest();
  };
  const inParts = (digest: (bytes: Uint8Array) => Uint8Array): string => {
    let at = 0;
    const each = PARTS.map((size) => {
      at += size;
      return digest(OBJECT.subarray(at - size, at));
    });
    return `${base64(digest(Buffer.concat(each)))}-${PARTS.length}`;
  };
  const given: Readonly<Record<string, [algorithm: string, value: string]>> = {
    "SHA-256": ["sha256", base64(sha256(OBJECT))],
    "CRC-64/NVME": ["crc64nvme", base64(crc(Crc.crc64nvme, OBJECT))],
    "CRC-32C": ["crc32c", base64(crc(Crc.crc32c, OBJECT))],
    "SHA-256 of parts": ["sha256", inParts(sha256)],
    "CRC-32C of parts": ["crc32c", inParts((bytes) => crc(Crc.crc32c, bytes))],
  };

  for (const [name, [algorithm, value]] of Object.entries(given)) {
    it(`come whole with their ${name}`, async () => {
      front.say({ [`x-amz-checksum-${algorithm}`]: value, ...KMS }, PARTS);
      const object = await open();
      assert.equal(object.checkedBy, algorithm.toUpperCase());
      assert.deepEqual(await read(object), OBJECT);
      // From the middle again, as after a break on the side of the keep.
      assert.equal((await read(object, 500_000)).equals(OBJECT.subarray(500_000)), true);
    });

    it(`never come whole with another ${name}`, async () => {
      const changed = `${value.startsWith("A") ? "B" : "A"}${value.slice(1)}`;
      front.say({ [`x-amz-checksum-${algorithm}`]: changed, ...KMS }, PARTS);
      let got = 0;
      const object = await open();
      const reading = (async () => {
        for await (const part of object.read(0)) got += part.length;
      })();
      await assert.rejects(reading, /its store says/);
      assert.ok(got < OBJECT.length);
    });
  }

  it("are checked by the stronger of two", async () => {
    front.say({
      "x-amz-checksum-crc32c": "AAAAAA==",
      "x-amz-checksum-sha256": base64(sha256(OBJECT)),
      ...KMS,
    });
    const object = await open();
    assert.equal(object.checkedBy, "SHA256");
    assert.deepEqual(object.sha256, sha256(OBJECT));
    assert.deepEqual(await read(object), OBJECT);
  });

  for (const [fault, sizes] of Object.entries({
    "the store does not tell": undefined,
    "are not the object's": [400_000, 400_000, 100_001],
    "are too few": [400_000, 500_000],
  })) {
    it(`are not checked by parts whose sizes ${fault}, and say so`, async () => {
      const value = inParts(sha256);
      front.say({ "x-amz-checksum-sha256": value, ...KMS }, sizes);
      const object = await open();
      assert.equal(object.checkedBy, undefined);
      assert.deepEqual(await read(object), OBJECT);
    });
  }

  it("are checked by their ETag where it is an MD5", async () => {
    front.say({});
    assert.equal((await open()).checkedBy, "MD5");
    front.say({ etag: '"0123456789abcdef0123456789abcdef"' });
    await assert.rejects(read(await open()), /MD5/);
    front.say(KMS);
    assert.equal((await open()).checkedBy, undefined);
  });

  function open(): Promise<S3Object> {
    const options = { signal: new AbortController().signal, silenceMs: 10_000 };
    return S3Object.open(client, { bucket: BUCKET, key: KEY }, options);
  }

  async function read(object: S3Object, offset = 0): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of object.read(offset)) parts.push(part);
    return Buffer.concat(parts);
  }
});

interface Front {
  readonly url: string;
  /** What answers to GET say beside what the store says, and the sizes of parts that it tells. */
  say(headers: Record<string, string>, sizes?: readonly number[]): void;
  close(): Promise<void>;
}

async function startFront(target: string): Promise<Front> {
  let said: Record<string, string> = {};
  let etag = "";
  let sizes: readonly number[] | undefined;
  const { hostname, port } = new URL(target);
  const server: Server = createServer((incoming, answer) => {
    if (incoming.url?.includes("attributes") && sizes !== undefined) {
      answer.setHeader("content-type", "application/xml");
      answer.end(attributes(etag, sizes));
      return;
    }
    const { method, url: path, headers } = incoming;
    const call = request({ hostname, port, method, path, headers }, (response) => {
      etag = response.headers.etag ?? etag;
      const isAsked = headers["x-amz-checksum-mode"] === "ENABLED";
      const extra = method === "GET" && isAsked ? said : {};
      answer.writeHead(response.statusCode ?? 502, { ...response.headers, ...extra });
      response.pipe(answer);
    });
    call.once("error", () => answer.destroy());
    incoming.pipe(call);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (headers, parts) => {
      said = headers;
      sizes = parts;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** As the S3 API reference writes GetObjectAttributes. */
function attributes(etag: string, sizes: readonly number[]): string {
  const parts = sizes.map(
    (size, index) => `<Part><PartNumber>${index + 1}</PartNumber><Size>${size}</Size></Part>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<GetObjectAttributesResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>${etag.replaceAll('"', "")}</ETag><ObjectParts><PartsCount>${sizes.length}</PartsCount><IsTruncated>false</IsTruncated>${parts.join("")}</ObjectParts></GetObjectAttributesResponse>`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
