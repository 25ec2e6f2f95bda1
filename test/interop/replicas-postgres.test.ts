// Two control planes on one PostgreSQL and one bucket, each with a data directory of its own: no port twice, no instance
// provisioned twice, and what one leaves half done when it is killed the other goes on with.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import {
  CcfaasClient,
  fetchTransport,
  NamespaceClient,
  namespaceUrl,
  ServiceRefusal,
} from "@holdfast/contract";
import { type KeepEntry, openStore } from "@holdfast/store";
import { isRunning } from "../../apps/control/src/keeps/process-mark.ts";
import { newS3Client } from "../../apps/control/src/s3-client.ts";
import {
  eventually,
  newIdentities,
  provisionVod,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { freePorts, makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { type Postgres, skipWithoutPostgres, startPostgres } from "../peers/postgres.ts";
import { type Swift, skipWithoutSwift, startSwift } from "../peers/swift.ts";

const skip = skipWithoutPostgres() || skipWithoutSwift();
const PORTS = 3;
const BUCKET = "functions";

describe("two control planes on one PostgreSQL", { skip, concurrency: false }, () => {
  let postgres: Postgres;
  let swift: Swift;
  let databaseUrl: string;
  let world: World;
  let first: ChildProcess;
  let ccfaas: readonly [CcfaasClient, CcfaasClient];
  let urls: readonly string[] = [];
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    [postgres, swift] = await Promise.all([startPostgres(), startSwift()]);
    databaseUrl = postgres.newDatabase();
    const { endpoint, region, accessKeyId, secretAccessKey } = swift;
    const bucket = { endpoint, region, force_path_style: true };
    const client = await newS3Client(bucket, { accessKeyId, secretAccessKey });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
    // Where the SDK of the processes below looks.
    process.env["AWS_ACCESS_KEY_ID"] = accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = secretAccessKey;
    const blobs = { s3: { bucket: BUCKET, ...bucket } };
    world = await makeWorld({ keepPorts: PORTS, databaseUrl, blobs });
    identities = await newIdentities();
    const [vaas = 0, other = 0, s3 = 0] = await freePorts(3);
    const host = "127.0.0.1";
    first = await world.spawn();
    await world.spawn({
      vaas: { host, port: vaas },
      data_dir: join(world.directory, "other-data"),
      ccfaas: {
        host,
        port: other,
        vaas_url: `http://${host}:${vaas}`,
        identity_file: join(world.config.data_dir, "ccfaas", "loader.json"),
      },
      s3: { host, port: s3 },
    });
    const second = new CcfaasClient(fetchTransport(`http://${host}:${other}`));
    ccfaas = [world.ccfaas, second];
    urls = [world.ccfaasUrl, `http://${host}:${other}`];
    await provisionVod(second);
  });
  after(async () => {
    await world?.close();
    await Promise.all([postgres?.close(), swift?.close()]);
  });
  afterEach(async () => {
    world.setFaults({});
    for (const { id } of await ccfaas[1].describeInstances()) await ccfaas[1].deleteInstance(id);
    for (const { loader } of await keepRecords()) {
      assert.equal(loader !== undefined && (await isRunning(loader)), false, "a keep was orphaned");
    }
  });

  const keepRecords = async (): Promise<KeepEntry[]> => {
    const opened = await openStore({ directory: world.directory, databaseUrl });
    try {
      return await opened.keeps.list();
    } finally {
      await opened.close();
    }
  };

  it("keep files of functions in the bucket alone", () => {
    for (const directory of [world.config.data_dir, join(world.directory, "other-data")]) {
      assert.equal(existsSync(join(directory, "store", "blobs")), false);
    }
  });

  it("never give one port to two instances", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 * PORTS }, (_, index) => {
        const policy = userPolicy(identities, { instanceid: `i${index}` });
        return ccfaas[index % 2 === 0 ? 0 : 1].createInstance(policy);
      }),
    );
    const made = outcomes.filter(({ status }) => status === "fulfilled");
    assert.equal(made.length, PORTS);
    for (const each of outcomes) {
      if (each.status === "rejected") assert.equal((each.reason as ServiceRefusal).status, 507);
    }
    const living = (await keepRecords()).filter(({ port }) => port !== undefined);
    assert.equal(new Set(living.map(({ port }) => port)).size, PORTS);
    assert.equal(living.length, PORTS);
  });

  it("make one instance of requests for one id to both", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) =>
        ccfaas[index % 2 === 0 ? 0 : 1].createInstance(userPolicy(identities)),
      ),
    );
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal((await keepRecords()).filter(({ port }) => port !== undefined).length, 1);
  });

  it("make no more in a namespace than its quota, whichever is asked", async () => {
    const namespaces = new NamespaceClient(fetchTransport(world.ccfaasUrl));
    await namespaces.create({ name: "small", quotas: { functions: 1, instances: 2 } });
    const within = urls.map((url) => new CcfaasClient(fetchTransport(namespaceUrl(url, "small"))));
    const inTurn = <T>(count: number, make: (at: CcfaasClient, index: number) => Promise<T>) =>
      Promise.allSettled(
        Array.from({ length: count }, (_, index) => make(within[index % 2] ?? ccfaas[0], index)),
      );
    const registered = await inTurn(6, (at, index) =>
      at.registerFunction({ ...vodFunction(`f${index}`), data_files: [] }),
    );
    refusedBut(1, registered, "QUOTA_FUNCTIONS");
    const [name = ""] = (await within[0]?.listFunctions()) ?? [];
    const made = await inTurn(6, (at, index) =>
      at.createInstance(userPolicy(identities, { instanceid: `${index}`, function: name })),
    );
    refusedBut(2, made, "QUOTA_INSTANCES");
    for (const { id } of (await within[0]?.describeInstances()) ?? []) {
      await within[1]?.deleteInstance(id);
    }
    await within[1]?.deleteFunction(name);
    await namespaces.delete("small");
  });

  it("publish one version of a definition that is sent to both", async () => {
    const definition = { ...vodFunction(), max_memory_mib: 1000 };
    const drafts = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        ccfaas[index % 2 === 0 ? 0 : 1].putDraft("vod_small", definition),
      ),
    );
    assert.deepEqual(new Set(drafts.map(({ version }) => version)), new Set([2]));
    await ccfaas[0].putDraft("vod_small", vodFunction());
    await ccfaas[1].deleteVersion("vod_small", 2);
  });

  it("refuse a NUL in a name, which no text of their database can hold", async () => {
    await assert.rejects(ccfaas[0].getFunction("a\0b"), { code: "REQUEST_INVALID", status: 400 });
    const registering = ccfaas[0].registerFunction(vodFunction("a\0b"));
    await assert.rejects(registering, { code: "POLICY_INVALID", status: 422 });
  });

  it("delete what the other is making", async () => {
    world.setFaults({ stallPath: "/program_data" });
    const creating = ccfaas[0].createInstance(userPolicy(identities)).catch((thrown) => thrown);
    await eventually(
      () => ccfaas[1].describeInstances(),
      ([instance]) => instance?.state === "provisioning",
    );
    await ccfaas[1].deleteInstance("0");
    assert.ok((await creating) instanceof ServiceRefusal);
    assert.deepEqual(await ccfaas[0].describeInstances(), []);
  });

  it("go on with what the other left half done when it was killed", async () => {
    world.setFaults({ stallPath: "/program_data/yolov3.cfg" });
    const creating = ccfaas[0].createInstance(userPolicy(identities)).catch(() => undefined);
    await eventually(
      () => ccfaas[1].describeInstances(),
      ([instance]) => instance?.state === "provisioning" && instance.bytes_loaded > 0,
    );
    const exited = once(first, "exit");
    first.kill("SIGKILL");
    await exited;
    await creating;
    world.setFaults({});
    // Its lease ends by itself, seconds later.
    await eventually(
      () => ccfaas[1].describeInstance("0"),
      ({ state }) => state === "ready",
    );
    assert.equal((await keepRecords()).filter(({ port }) => port !== undefined).length, 1);
    // Its keep is ended by whoever can: the one on its machine, when that is back.
    first = await world.spawn();
  });
});

/** So many are made, and the others are refused for the one reason. */
function refusedBut(
  number: number,
  outcomes: readonly PromiseSettledResult<unknown>[],
  code: string,
): void {
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, number);
  for (const each of outcomes) {
    if (each.status === "rejected") assert.equal((each.reason as ServiceRefusal).code, code);
  }
}
