// Blobs in S3: the contract on Swift, which is strict and can tell what is unfinished, and on the demo's own store.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { systemClock } from "@holdfast/core";
import {
  type ObjectStore,
  startObjectStore,
} from "../../apps/cli/src/object-store/object-store.ts";
import { newS3Client } from "../../apps/control/src/s3-client.ts";
import { s3Blobs } from "../../packages/store/src/blobs/s3-blobs.ts";
import {
  type BlobPlaceUnderTest,
  blobContract,
} from "../../packages/store/src/testing/blob-contract.ts";
import { type Swift, skipWithoutSwift, startSwift } from "../peers/swift.ts";

const BUCKET = "blobs";
const skip = skipWithoutSwift();
let swift: Swift | undefined;
let own: ObjectStore | undefined;
let clients: Record<"swift" | "own", S3Client>;
const directory = mkdtempSync(join(tmpdir(), "holdfast-blobs-s3-"));
const credentials = { accessKeyId: "BLOBS", secretAccessKey: "secret" };
const region = "us-east-1";

before(async () => {
  own = await startObjectStore({
    directory,
    bucket: BUCKET,
    credentials: { ...credentials, region },
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
  });
  if (skip === false) swift = await startSwift();
  const settings = { region, force_path_style: true };
  clients = {
    own: await newS3Client({ ...settings, endpoint: own.url }, credentials),
    swift: await newS3Client({ ...settings, endpoint: swift?.endpoint ?? "" }, swift),
  };
  if (swift !== undefined) await clients.swift.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
after(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await own?.close();
  await swift?.close();
  rmSync(directory, { recursive: true, force: true });
});

blobContract("in a bucket of Swift", { ...inBucketOf("swift"), skip });
blobContract("in a bucket of the demo's store", {
  ...inBucketOf("own"),
  // It takes seconds for each part of a multipart upload, and knows no list of unfinished ones.
  large: 3_000_000,
  unfinished: async () => undefined,
});

function inBucketOf(store: "swift" | "own"): BlobPlaceUnderTest {
  let prefix = "";
  const place = () => ({ client: clients[store], bucket: BUCKET, prefix });
  return {
    open: async () => {
      // Nothing of the place before is in this one.
      prefix = `blobs-${randomUUID()}/`;
      return s3Blobs(place());
    },
    openAgain: async () => s3Blobs(place(), { sweepMs: -1000 }),
    damage: async (sha256, bytes) => {
      const Key = `${prefix}${sha256}`;
      await clients[store].send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: bytes }));
    },
    unfinished: async () => {
      const where = { Bucket: BUCKET, Prefix: prefix };
      const { Uploads = [] } = await clients[store].send(new ListMultipartUploadsCommand(where));
      return Uploads.length;
    },
  };
}
