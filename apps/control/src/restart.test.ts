// The control plane is killed (SIGKILL) in the middle of things and started again: nothing acknowledged is lost, nothing
// half done stays, no keep is orphaned.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { connectKeep } from "@holdfast/channel";
import { type FunctionBody, KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import { type KeepEntry, openStore } from "@holdfast/store";
import { isRunning } from "./keeps/process-mark.ts";
import { nameOf } from "./testing/call.ts";
import {
  bytesOf,
  DATA_FILES,
  eventually,
  FILES,
  newIdentities,
  PROGRAM,
  provisionVod,
  sha256,
  userPolicy,
  vodFunction,
} from "./testing/samples.ts";
import { freePorts, makeWorld, type World } from "./testing/world.ts";

describe("the control plane, killed and started again", { concurrency: false }, () => {
  let world: World;
  let control: ChildProcess;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld({ keepPorts: 2, keeps: { start_timeout_ms: 15_000 } });
    control = await world.spawn();
    identities = await newIdentities();
    await provisionVod(world.ccfaas);
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    for (const { id } of await world.ccfaas.describeInstances()) {
      await world.ccfaas.deleteInstance(id);
    }
    assert.deepEqual((await world.vaas.list()).veracruz, []);
    for (const { loader } of await keepRecords()) {
      assert.equal(loader !== undefined && (await isRunning(loader)), false, "a keep was orphaned");
    }
  });

  const kill = async (): Promise<void> => {
    const exited = once(control, "exit");
    control.kill("SIGKILL");
    await exited;
  };
  const restart = async (): Promise<void> => {
    control = await world.spawn();
  };
  const create = (id = "0"): Promise<unknown> =>
    world.ccfaas.createInstance(userPolicy(identities, { instanceid: id })).catch(() => undefined);
  const stateOf = async (id = "0"): Promise<string> =>
    (await world.ccfaas.describeInstance(id)).state;
  const keepRecords = async (): Promise<KeepEntry[]> => {
    const store = await openStore({ directory: join(world.config.data_dir, "store") });
    try {
      return await store.keeps.list();
    } finally {
      await store.close();
    }
  };

  it("knows a function whose registration was acknowledged", async () => {
    await world.ccfaas.registerFunction(vodFunction("acknowledged"));
    await kill();
    await restart();
    assert.deepEqual(await world.ccfaas.getFunction("acknowledged"), vodFunction("acknowledged"));
    await world.ccfaas.deleteFunction("acknowledged");
  });

  it("finds its keeps again, and they went on", async () => {
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    const [before] = await keepRecords();
    await kill();
    const connection = await connectKeep({
      policy: parsePolicy(policy),
      identity: identities.user,
      clock: systemClock,
    });
    const keep = new KeepClient(connection);
    await keep.putFile("/user_input/key", new Uint8Array(16));
    await restart();
    assert.deepEqual(await world.ccfaas.listInstances(), ["0"]);
    assert.equal((await world.ccfaas.getInstance("0")).policy, policy);
    const [after] = await keepRecords();
    assert.deepEqual(after?.loader, before?.loader);
    const { entries } = await keep.list("/");
    assert.ok(entries.some(({ name }) => name === "/user_input/key"));
    connection.close();
  });

  it("lets no second one into its data directory, whatever its ports", async () => {
    await create();
    const [vaas = 0, ccfaas = 0, s3 = 0] = await freePorts(3);
    const host = "127.0.0.1";
    const second = world.spawn({
      vaas: { host, port: vaas },
      ccfaas: { host, port: ccfaas, vaas_url: `http://${host}:${vaas}` },
      s3: { host, port: s3 },
    });
    await assert.rejects(second, /the control plane ended: 1/);
    assert.equal(await stateOf(), "ready");
  });

  it("reports a keep that died meanwhile, and frees its port", async () => {
    await create();
    const [record] = await keepRecords();
    await kill();
    process.kill(record?.loader?.pid ?? 0, "SIGKILL");
    await restart();
    const ended = await eventually(
      () => world.ccfaas.describeInstance("0"),
      ({ state }) => state === "ended",
    );
    assert.match(ended.reason ?? "", /its keep ended/);
    assert.deepEqual((await world.vaas.list()).veracruz, []);
  });

  it("goes on with an instance whose keep was starting", async () => {
    world.setFaults({ delayMs: 1500 });
    const creating = create();
    const starting = await eventually(
      async () => (await keepRecords()).find(({ state }) => state === "starting"),
      (keep) => keep !== undefined,
    );
    // Recorded is not yet told: a keep that has no policy when its control plane dies ends, and its instance fails.
    const stateFile = join(world.config.data_dir, "keeps", starting?.id ?? "", "state.json");
    await eventually(async () => existsSync(stateFile), Boolean);
    await kill();
    await creating;
    await restart();
    await eventually(stateOf, (state) => state === "ready");
    assert.equal((await world.vaas.list()).veracruz.length, 1);
  });

  it("goes on with an instance whose files were being loaded", async () => {
    world.setFaults({ stallPath: "/program_data/yolov3.cfg" });
    const creating = create();
    await eventually(
      () => world.ccfaas.describeInstances(),
      ([instance]) => instance?.state === "provisioning" && instance.bytes_loaded > 0,
    );
    await kill();
    await creating;
    world.setFaults({});
    await restart();
    await eventually(stateOf, (state) => state === "ready");
    const { policy } = await world.ccfaas.getInstance("0");
    const connection = await connectKeep({
      policy: parsePolicy(policy),
      identity: identities.user,
      clock: systemClock,
    });
    const { entries } = await new KeepClient(connection).list("/");
    connection.close();
    // Beside the files, the keep has what the killed process had begun to send; it drops that by itself.
    const files = entries.filter(({ kind }) => kind === "file").map(({ name }) => name);
    assert.deepEqual(files.sort(), Object.keys(FILES).sort());
  });

  it("goes on with a deletion", async () => {
    await create();
    world.setFaults({ endDelayMs: 1000 });
    const deleting = world.ccfaas.deleteInstance("0").catch(() => undefined);
    await eventually(
      () => world.ccfaas.describeInstances(),
      ([instance]) => instance?.state === "ending",
    );
    await kill();
    await deleting;
    await restart();
    await eventually(
      () => world.ccfaas.describeInstances(),
      ({ length }) => length === 0,
    );
    assert.deepEqual((await world.vaas.list()).veracruz, []);
  });

  it("leaves nothing of an upload that it was killed in", async () => {
    await world.ccfaas.registerFunction(vodFunction("cut"));
    const { hostname, port } = new URL(world.ccfaasUrl);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    const [path = ""] = DATA_FILES;
    socket.write(
      `POST /function/cut/data_file/${nameOf(path)} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\nhalf`,
    );
    const incoming = join(world.config.data_dir, "store/blobs/incoming");
    await eventually(
      async () => readdirSync(incoming),
      ({ length }) => length === 1,
    );
    await kill();
    await restart();
    assert.deepEqual(readdirSync(incoming), []);
    await world.ccfaas.uploadDataFile("cut", path, FILES[path] ?? new Uint8Array());
    await world.ccfaas.deleteFunction("cut");
  });

  const otherProgram = bytesOf("\0asm of another version");
  const otherDefinition = (): FunctionBody => {
    const body = vodFunction();
    const programs = body.programs.map((each) => ({ ...each, pi_hash: sha256(otherProgram) }));
    return { ...body, programs };
  };
  /** Makes version 1 the one that the name means, and removes what else there is. */
  const backToFirst = async (): Promise<void> => {
    const { ccfaas } = world;
    await ccfaas.putDraft("vod_small", vodFunction());
    for (const { name } of await ccfaas.listAliases("vod_small")) {
      await ccfaas.deleteAlias("vod_small", name);
    }
    for (const { version, current } of await ccfaas.listVersions("vod_small")) {
      if (!current) await ccfaas.deleteVersion("vod_small", version);
    }
  };

  it("goes on with a draft where it stood, with the version before it in use", async () => {
    const { ccfaas } = world;
    await ccfaas.putDraft("vod_small", otherDefinition());
    await kill();
    await restart();
    assert.deepEqual((await ccfaas.getDraft("vod_small")).missing, [PROGRAM]);
    assert.deepEqual(await ccfaas.getFunction("vod_small"), vodFunction());
    const published = await ccfaas.uploadDraftFile("vod_small", PROGRAM, otherProgram);
    assert.equal(published.state, "published");
    await kill();
    await restart();
    assert.deepEqual(await ccfaas.getFunction("vod_small"), otherDefinition());
    const [, second] = await ccfaas.listVersions("vod_small");
    assert.equal(`${second?.version} ${second?.current}`, `${published.version} true`);
    await backToFirst();
  });

  it("publishes nothing when it was killed in the last upload of a draft", async () => {
    const { ccfaas } = world;
    await ccfaas.putDraft("vod_small", otherDefinition());
    const { hostname, port } = new URL(world.ccfaasUrl);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    socket.write(
      `PUT /v1/functions/vod_small/draft/files/${nameOf(PROGRAM)} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${otherProgram.length}\r\n\r\nhalf`,
    );
    const incoming = join(world.config.data_dir, "store/blobs/incoming");
    await eventually(
      async () => readdirSync(incoming),
      ({ length }) => length === 1,
    );
    await kill();
    await restart();
    assert.deepEqual(readdirSync(incoming), []);
    assert.deepEqual((await ccfaas.getDraft("vod_small")).missing, [PROGRAM]);
    assert.deepEqual(await ccfaas.getFunction("vod_small"), vodFunction());
    assert.equal((await ccfaas.listVersions("vod_small")).length, 1);
    await ccfaas.uploadDraftFile("vod_small", PROGRAM, otherProgram);
    assert.deepEqual(await ccfaas.getFunction("vod_small"), otherDefinition());
    await backToFirst();
  });

  it("has the alias that was acknowledged last, or the one it was killed in setting", async () => {
    const { ccfaas } = world;
    const { version: second } = await ccfaas.putDraft("vod_small", {
      ...vodFunction(),
      max_memory_mib: 1000,
    });
    assert.ok(second !== undefined);
    let acknowledged = 1;
    await ccfaas.setAlias("vod_small", "stable", acknowledged);
    let asked = acknowledged;
    let count = 0;
    const switching = (async () => {
      for (;;) {
        asked = acknowledged === 1 ? second : 1;
        await ccfaas.setAlias("vod_small", "stable", asked);
        acknowledged = asked;
        count += 1;
      }
    })().catch(() => undefined);
    await eventually(
      async () => count,
      (done) => done > 20,
    );
    await kill();
    await switching;
    await restart();
    const { version } = await ccfaas.getAlias("vod_small", "stable");
    assert.ok([acknowledged, asked].includes(version), `${version}: ${acknowledged}, ${asked}`);
    assert.equal((await ccfaas.listAliases("vod_small")).length, 1);
    await backToFirst();
  });

  it("ends well on a signal, with its keeps going on", async () => {
    await create();
    const [record] = await keepRecords();
    const exited = once(control, "exit");
    control.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
    assert.ok(record?.loader !== undefined && (await isRunning(record.loader)));
    await restart();
    assert.equal(await stateOf(), "ready");
  });
});
