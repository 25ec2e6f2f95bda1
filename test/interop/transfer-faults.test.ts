// Transfers whose connections are cut, stalled or corrupted at every phase, between the bridge and S3, the bridge and a
// keep, CCFaaS and a keep: whatever is answered, the keep has the right file or none.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { connectKeep } from "@holdfast/channel";
import type { S3StreamBody } from "@holdfast/contract";
import { readBody, systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import {
  type ObjectStore,
  startObjectStore,
} from "../../apps/cli/src/object-store/object-store.ts";
import { newS3Client } from "../../apps/control/src/s3-client.ts";
import { newIdentities, userPolicy, vodFunction } from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "../peers/fault-proxy.ts";

const BUCKET = "videos";
const SIZE = 3_000_000;
const OBJECT = new Uint8Array(SIZE).map((_, index) => (index * index) >> 5);
const SHA256 = createHash("sha256").update(OBJECT).digest("hex");
const SILENCE_MS = 1000;
const credentials = { accessKeyId: "BRIDGE", secretAccessKey: "secret" };
const region = "us-east-1";

/** Where a connection may be when it breaks, in bytes of one direction. */
const PHASES: Readonly<Record<string, Pick<Fault, "direction" | "after">>> = {
  "before the first byte": { direction: "up", after: 0 },
  "in the first bytes that go": { direction: "up", after: 300 },
  "in the first bytes that come back": { direction: "down", after: 0 },
  "in the headers that come back": { direction: "down", after: 200 },
};
const UPLOADING: typeof PHASES = {
  ...PHASES,
  "as the body begins": { direction: "up", after: 8000 },
  "in the middle of the body": { direction: "up", after: SIZE / 2 },
  "just before the body's end": { direction: "up", after: SIZE - 100 },
  "as the answer comes back": { direction: "down", after: 3000 },
};
const DOWNLOADING: typeof PHASES = {
  ...PHASES,
  "as the body begins": { direction: "down", after: 1000 },
  "in the middle of the body": { direction: "down", after: SIZE / 2 },
  "just before the body's end": { direction: "down", after: SIZE - 100 },
};
const KINDS = ["cut", "stall", "corrupt"] as const;

describe("transfers over connections that fail", { concurrency: false }, () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-faults-"));
  let store: ObjectStore;
  let toStore: FaultProxy;
  let toKeep: FaultProxy;
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    store = await startObjectStore({
      directory,
      bucket: BUCKET,
      credentials: { ...credentials, region },
      listen: { host: "127.0.0.1", port: 0 },
      clock: systemClock,
    });
    const client = await newS3Client(
      { endpoint: store.url, region, force_path_style: true },
      credentials,
    );
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "object", Body: OBJECT }));
    client.destroy();
    const { hostname: host, port } = new URL(store.url);
    toStore = await startFaultProxy({ host, port: Number(port) });
    const silence_ms = SILENCE_MS;
    world = await makeWorld({
      s3: { endpoint: toStore.url, force_path_style: true, region, silence_ms },
      ccfaas: { silence_ms },
      keepPorts: 1,
      // The proxy stands where policies say that the keep is.
      keeps: { listen_host: "127.0.0.2" },
    });
    const keepPort = world.config.keeps?.port_min ?? 0;
    toKeep = await startFaultProxy(
      { host: "127.0.0.2", port: keepPort },
      { host: "127.0.0.1", port: keepPort },
    );
    await world.start();
    identities = await newIdentities();
    const file = "/program_data/large";
    const big = { ...vodFunction("big"), data_files: [{ data_file: file, pi_hash: SHA256 }] };
    await world.ccfaas.registerFunction({ ...big, programs: [] });
    await world.ccfaas.uploadDataFile("big", file, OBJECT);
  });
  after(async () => {
    await world?.close();
    await toKeep?.close();
    await toStore?.close();
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  describe("from S3 through the bridge", { concurrency: false }, () => {
    let policy: string;
    before(async () => {
      await world.ccfaas.registerFunction({
        ...vodFunction("empty"),
        programs: [],
        data_files: [],
      });
      const asked = userPolicy(identities, { function: "empty", instanceid: "bridge" });
      ({ policy } = await world.ccfaas.createInstance(asked));
    });
    after(() => world.ccfaas.deleteInstance("bridge"));

    const links = { store: DOWNLOADING, keep: UPLOADING };
    for (const [link, phases] of Object.entries(links)) {
      for (const kind of KINDS) {
        for (const [phase, where] of Object.entries(phases)) {
          it(`the connection to the ${link}: ${kind} ${phase}`, () =>
            copyWith(
              link as keyof typeof links,
              { kind, ...where },
              `${link}-${kind}-${where.direction}-${where.after}`,
            ));
        }
        it(`the connection to the ${link}: ${kind} in the middle, again and again`, async () => {
          const fault = { kind, ...phases["in the middle of the body"], times: 100 } as Fault;
          await copyWith(link as keyof typeof links, fault, `${link}-${kind}-always`);
        });
      }
    }

    async function copyWith(link: "store" | "keep", fault: Fault, name: string): Promise<void> {
      const proxy = { store: toStore, keep: toKeep }[link];
      const path = `/s3_app_input/${name}`;
      proxy.set(fault);
      let status: number;
      try {
        status = await copy(path);
        assert.ok(proxy.struck > 0, "the fault did not come to pass");
      } finally {
        proxy.set();
      }
      const found = (await entriesOf(policy)).filter((entry) => entry.name === path);
      const expected = [{ name: path, kind: "file", size: SIZE, sha256: SHA256 }];
      assert.deepEqual(found, status === 200 ? expected : [], `it was answered ${status}`);
      if (status !== 200) assert.ok([502, 404].includes(status), `${status}`);
      // One break is no reason to give up, wherever it is; bytes that were changed are.
      if (fault.times === undefined && fault.kind !== "corrupt") assert.equal(status, 200);
    }

    async function copy(filename: string): Promise<number> {
      const body: S3StreamBody = {
        s3: {
          bucket: BUCKET,
          filename: "object",
          region_name: region,
          aws_access_key_id: credentials.accessKeyId,
          aws_secret_access_key: credentials.secretAccessKey,
        },
        veracruz: {
          filename,
          policy,
          certificate: identities.bridge.certificatePem,
          key: identities.bridge.keyPem,
        },
      };
      const answer = await fetch(`${world.s3Url}/s3_stream_veracruz`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      await answer.arrayBuffer();
      return answer.status;
    }
  });

  describe("from CCFaaS", { concurrency: false }, () => {
    for (const kind of KINDS) {
      for (const [phase, where] of Object.entries(UPLOADING)) {
        it(`the connection to the keep: ${kind} ${phase}`, async () => {
          // VaaS looks at the keep first.
          toKeep.set({ kind, ...where, skip: 1 });
          const outcome = await world.ccfaas
            .createInstance(userPolicy(identities, { function: "big" }))
            .catch((thrown: Error) => thrown);
          const { struck } = toKeep;
          toKeep.set();
          assert.ok(struck > 0, "the fault did not come to pass");
          try {
            if (outcome instanceof Error) {
              // One break is no reason to give up, wherever it is.
              assert.equal(kind, "corrupt");
              const { state } = await world.ccfaas.describeInstance("0");
              assert.equal(state, "failed");
              assert.equal(world.launcher.running, 0, "a keep was left");
            } else {
              const file = {
                name: "/program_data/large",
                kind: "file",
                size: SIZE,
                sha256: SHA256,
              };
              assert.deepEqual(await entriesOf(outcome.policy), [file]);
            }
          } finally {
            await world.ccfaas.deleteInstance("0");
          }
        });
      }
    }
  });

  /** Files and unfinished uploads in the keep. */
  async function entriesOf(policy: string): Promise<{ name: string }[]> {
    const connection = await connectKeep({
      policy: parsePolicy(policy),
      identity: identities.bridge,
      clock: systemClock,
    });
    try {
      const { body } = await connection.request({ method: "GET", path: "/v1/list" });
      const text = new TextDecoder().decode(await readBody(body, 1 << 20));
      return (JSON.parse(text) as { entries: { name: string }[] }).entries;
    } finally {
      connection.close();
    }
  }
});
