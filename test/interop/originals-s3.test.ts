// Row by row: our S3 bridge, and the original where it was fetched; both between one store and keeps of ours.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { connectKeep } from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import {
  type ObjectStore,
  startObjectStore,
} from "../../apps/cli/src/object-store/object-store.ts";
import { newIdentities, userPolicy, vodFunction } from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { freePorts } from "../e2e/free-ports.ts";
import { type Original, skipWithoutOriginals, startOriginal } from "../peers/originals.ts";
import { type BridgeSide, NEVER, S3_ROWS } from "./originals/s3-rows.ts";
import { testRows } from "./originals/test-rows.ts";

const CREDENTIALS = { accessKeyId: "holdfast", secretAccessKey: "a-secret-of-the-store" };
const REGION = "us-east-1";

describe("our S3 bridge", { concurrency: false }, () => {
  let place: Place;
  let side: BridgeSide;
  before(async () => {
    place = await makePlace();
    side = await sideOf(place.world, true, place.world.s3Url);
  });
  after(() => place?.close());
  testRows(S3_ROWS, () => side);
});

describe("the original S3 service", { concurrency: false, skip: skipWithoutOriginals() }, () => {
  let place: Place;
  let s3: Original;
  let side: BridgeSide;
  before(async () => {
    place = await makePlace();
    const [port = 0] = await freePorts(1);
    const directory = join(place.directory, "s3");
    s3 = await startOriginal("s3", { directory, port, s3Endpoint: place.store.url });
    side = await sideOf(place.world, false, s3.url);
  });
  after(async () => {
    await s3?.close();
    await place?.close();
  });
  testRows(S3_ROWS, () => side);
});

interface Place {
  readonly directory: string;
  readonly store: ObjectStore;
  readonly world: World;
  close(): Promise<void>;
}

async function makePlace(): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-original-"));
  const store = await startObjectStore({
    directory: join(directory, "objects"),
    bucket: "videos",
    credentials: { ...CREDENTIALS, region: REGION },
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
  });
  const client = new S3Client({
    endpoint: store.url,
    forcePathStyle: true,
    region: REGION,
    credentials: CREDENTIALS,
  });
  const Body = new Uint8Array(300_000).map((_, index) => index * 7);
  await client.send(new PutObjectCommand({ Bucket: "videos", Key: "video", Body }));
  client.destroy();
  const world = await makeWorld({ s3: { endpoint: store.url, force_path_style: true } });
  await world.start();
  return {
    directory,
    store,
    world,
    async close() {
      await world.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function sideOf(world: World, isOurs: boolean, url: string): Promise<BridgeSide> {
  const identities = await newIdentities();
  await world.ccfaas.registerFunction(vodFunction());
  const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
  return {
    isOurs,
    url,
    world,
    body: ({ s3 = {}, veracruz = {} } = {}) => ({
      s3: {
        bucket: "videos",
        filename: "video",
        region_name: REGION,
        aws_access_key_id: CREDENTIALS.accessKeyId,
        aws_secret_access_key: CREDENTIALS.secretAccessKey,
        ...s3,
      },
      veracruz: {
        filename: "/s3_app_input/in_enc.h264",
        policy,
        certificate: identities.bridge.certificatePem,
        key: identities.bridge.keyPem,
        ...veracruz,
      },
    }),
    async sizeInKeep() {
      const identity = identities.user;
      const connection = await connectKeep({
        policy: parsePolicy(policy),
        identity,
        clock: systemClock,
      });
      try {
        const { entries } = await new KeepClient(connection).list("/");
        return entries.find(({ name, kind }) => name === NEVER && kind === "file")?.size;
      } finally {
        connection.close();
      }
    },
  };
}
