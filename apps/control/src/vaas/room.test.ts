// Room for keeps: ports and memory, what is told when there is none, and keeps that end by themselves.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import type { VaasPolicyBody, VeracruzCreated } from "@holdfast/contract";
import { parseVaasPolicy } from "@holdfast/policy";
import type { NewKeep, StoredKeep } from "@holdfast/store";
import pino from "pino";
import { ControlError } from "../errors.ts";
import { type Answer, call, isProblem } from "../testing/call.ts";
import { eventually, newIdentities } from "../testing/samples.ts";
import { type VaasCalls, vaasCalls } from "../testing/vaas-calls.ts";
import { makeWorld, type World } from "../testing/world.ts";
import type { VaasContext } from "./context.ts";
import { createKeep } from "./create-keep.ts";
import { endExpired } from "./end-expired.ts";
import { noMemory } from "./full.ts";
import { KeepAges } from "./keep-ages.ts";
import { reconcileKeep } from "./reconcile-keep.ts";
import { Turns } from "./turns.ts";

describe("room for keeps", { concurrency: false }, () => {
  let world: World;
  let body: VaasCalls["body"];
  let create: VaasCalls["create"];
  let created: VaasCalls["created"];
  let living: VaasCalls["living"];
  let deleteAll: VaasCalls["deleteAll"];

  before(async () => {
    world = await makeWorld({ keepPorts: 3, keeps: { max_memory_mib_total: 5000 } });
    await world.start();
    ({ body, create, created, living, deleteAll } = vaasCalls(world, (await newIdentities()).user));
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    await deleteAll();
  });

  it("different: when no port is free it is 507, and others are not harmed", async () => {
    for (let each = 0; each < 3; each += 1)
      assert.equal((await create({ max_memory_mib: 1 })).status, 200);
    isProblem(await create({ max_memory_mib: 1 }), 507, "KEEPS_NO_PORT");
    assert.equal((await living()).length, 3);
  });

  const endsIn = (minutes: number, max_memory_mib: number): Partial<VaasPolicyBody> => {
    const at = new Date(Date.now() + minutes * 60_000);
    return {
      max_memory_mib,
      enclave_cert_expiry: {
        year: at.getUTCFullYear(),
        month: at.getUTCMonth() + 1,
        day: at.getUTCDate(),
        hour: at.getUTCHours(),
        minute: at.getUTCMinutes(),
      },
    };
  };
  const saysMinutes = (answer: Answer, minutes: number): void => {
    const [, at = ""] = /at the latest at (20\S+Z)/.exec(JSON.parse(answer.text).detail) ?? [];
    const left = (Date.parse(at) - Date.now()) / 60_000;
    assert.ok(left > minutes - 5 && left <= minutes, at);
    // However far that is: a keep may be deleted any time.
    assert.equal(answer.headers.get("retry-after"), "3600");
  };

  it("different: no port says until when at the latest", async () => {
    for (const minutes of [300, 100, 200]) {
      assert.equal((await create(endsIn(minutes, 1))).status, 200);
    }
    const full = await create(endsIn(50, 1));
    isProblem(full, 507, "KEEPS_NO_PORT");
    saysMinutes(full, 100);
  });

  it("different: no memory says when enough of it is free, if ever", async () => {
    assert.equal((await create(endsIn(200, 3000))).status, 200);
    assert.equal((await create(endsIn(100, 1500))).status, 200);
    const little = await create(endsIn(50, 2000));
    isProblem(little, 507, "KEEPS_NO_MEMORY");
    saysMinutes(little, 100);
    const much = await create(endsIn(50, 3000));
    isProblem(much, 507, "KEEPS_NO_MEMORY");
    saysMinutes(much, 200);
    const tooMuch = await noMemory(
      { config: { maxMemoryMibTotal: 5000 } } as unknown as VaasContext,
      5001,
      "too much",
    );
    assert.equal(tooMuch.retryAfterSeconds, undefined);
  });

  it("ends a keep whose policy has ended", async () => {
    assert.equal((await create(endsIn(100, 1))).status, 200);
    const clockIn = (minutes: number) => ({ now: () => new Date(Date.now() + minutes * 60_000) });
    const parts = { store: world.store(), launcher: world.launcher, ages: new KeepAges() };
    const logger = pino({ level: "silent" });
    const context = { ...parts, logger } as unknown as VaasContext;
    await endExpired({ ...context, clock: clockIn(95) });
    assert.equal((await living()).length, 1);
    await endExpired({ ...context, clock: clockIn(101) });
    assert.deepEqual(await living(), []);
    const [last] = await world.store().keeps.list();
    assert.match(`${last?.state} ${last?.reason}`, /^ended its policy ended at /);
  });

  it("never gives one port to two of many requests at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 9 }, () => create({ max_memory_mib: 1 })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 200, 200, 507, 507, 507, 507, 507, 507]);
    assert.equal(new Set(await living()).size, 3);
  });

  it("serves as many requests at once as there are ports", async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => create({ max_memory_mib: 1 })));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [200, 200, 200],
    );
  });

  it("serves twenty of two hundred requests at once when there are twenty ports", async () => {
    const wide = await makeWorld({ keepPorts: 20 });
    try {
      await wide.start();
      const answers = await Promise.all(
        Array.from({ length: 200 }, () =>
          call("POST", `${wide.vaasUrl}/veracruz`, { json: body({ max_memory_mib: 1 }) }),
        ),
      );
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [...Array(20).fill(200), ...Array(180).fill(507)]);
      const { veracruz } = await wide.vaas.list();
      assert.equal(new Set(veracruz.flatMap((each) => Object.keys(each))).size, 20);
    } finally {
      await wide.close();
    }
  });

  it("leaves a port alone that somebody else listens on", async () => {
    const port = world.config.keeps?.port_min ?? 0;
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    try {
      assert.equal((await created()).name, `veracruz-nitro-server:${port + 1}`);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it("takes the next port when somebody took one in the last moment", async () => {
    const port = world.config.keeps?.port_min ?? 0;
    world.setFaults({ portTaken: port });
    const { name } = await created({}, "taken-key");
    assert.equal(name, `veracruz-nitro-server:${port + 1}`);
    assert.deepEqual(await living(), [name]);
    assert.equal((await create({}, "taken-key")).status, 200);
    assert.deepEqual(await living(), [name]);
  });

  it("notices a dead keep by itself", async () => {
    const { instance_hash } = await created();
    const [record] = await world.store().keeps.list();
    world.launcher.kill(record?.id ?? "");
    const keep = await eventually(
      () => world.vaas.keep(instance_hash),
      ({ state }) => state === "ended",
    );
    assert.match(keep.reason ?? "", /vanished/);
    assert.deepEqual(await living(), []);
  });

  it("notices a dead keep while it still looks at another one", async (t) => {
    const slow = await created({ max_memory_mib: 1 });
    const dying = await created({ max_memory_mib: 1 });
    const idOf = async ({ instance_hash }: VeracruzCreated): Promise<string> =>
      (await world.store().keeps.findByHash("default", instance_hash))?.id ?? "";
    const slowId = await idOf(slow);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: looked, resolve: looks } = Promise.withResolvers<void>();
    const look = world.launcher.look.bind(world.launcher);
    t.mock.method(world.launcher, "look", async (handle: Parameters<typeof look>[0]) => {
      if (handle.id === slowId) {
        looks();
        await released;
      }
      return await look(handle);
    });
    try {
      await looked;
      world.launcher.kill(await idOf(dying));
      await eventually(
        () => world.vaas.keep(dying.instance_hash),
        ({ state }) => state === "ended",
      );
    } finally {
      release();
    }
  });

  const recordOf = (node: string, requestHash: string): NewKeep => ({
    id: randomUUID(),
    namespace: "default",
    name: "veracruz-nitro-server:1",
    node,
    host: "127.0.0.2",
    port: 1,
    instanceHash: "ab",
    requestKey: node,
    requestHash,
    policy: "{}",
    maxMemoryMib: 1,
    createdAt: new Date().toISOString(),
  });

  it("ends no keep that starts because the clock jumps, but one that takes too long", async () => {
    const { keeps } = world.store();
    const record = recordOf("jumping", "");
    const context = {
      store: world.store(),
      launcher: {
        node: record.node,
        look: async () => ({ alive: true, state: "starting" }),
        end: async () => undefined,
      },
      turns: new Turns(),
      ages: new KeepAges(),
      launching: new Set(),
      logger: pino({ level: "silent" }),
      clock: { now: () => new Date(Date.now() + 3_600_000) },
    };
    const look = (startTimeoutMs: number): Promise<StoredKeep | undefined> =>
      reconcileKeep(
        { ...context, config: { startTimeoutMs } } as unknown as VaasContext,
        record.id,
      );
    await keeps.create(record);
    const loader = { pid: process.pid, mark: "none" };
    await keeps.move(record.id, ["requested"], "starting", record.createdAt, { loader });
    assert.equal((await look(60_000))?.state, "starting");
    const late = await look(-1);
    assert.match(`${late?.state}: ${late?.reason}`, /^failed: the keep did not serve within/);
  });

  it("does not wait for ever for a keep of a process that is gone", async () => {
    const policy = parseVaasPolicy(body({ max_memory_mib: 1 }));
    const requestHash = createHash("sha256").update(JSON.stringify(policy)).digest("hex");
    const record = recordOf("elsewhere", requestHash);
    const { keeps } = world.store();
    await keeps.create(record);
    // Less than nothing, so that little is left of the margin beyond it.
    const config = { startTimeoutMs: -14_000 };
    const context = { store: world.store(), launcher: world.launcher, turns: new Turns() };
    const joining = createKeep({ ...context, config } as unknown as VaasContext, policy, {
      namespace: "default",
      requestKey: "elsewhere",
    });
    await assert.rejects(
      joining,
      (thrown) => thrown instanceof ControlError && thrown.code === "KEEP_ELSEWHERE",
    );
    await keeps.close(record.id, "ended", "", record.createdAt);
  });
});
