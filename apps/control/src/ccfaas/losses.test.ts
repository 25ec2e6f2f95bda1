// Instances that lose what they need on their way: VaaS for a while, the keep, the function. Nothing is left behind, and
// what can go on does.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { InstanceState } from "@holdfast/contract";
import { type Answer, call, isProblem } from "../testing/call.ts";
import { type Gate, newGate } from "../testing/gate.ts";
import { eventually, newIdentities, provisionVod, userPolicy } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

/** More than any of these tests takes, on any machine. */
const LONG_MS = 600_000;

for (const [patience, describes] of [
  [LONG_MS, "instances whose VaaS is away for a while"],
  [0, "instances whose VaaS is away for too long"],
] as const) {
  describe(describes, { concurrency: false, timeout: 120_000 }, () => {
    let world: World;
    let gate: Gate;
    let identities: Awaited<ReturnType<typeof newIdentities>>;

    before(async () => {
      gate = await newGate();
      const ccfaas = { vaas_patience_ms: patience };
      world = await makeWorld({ keepPorts: 2, vaasUrl: gate.url, ccfaas });
      gate.leadTo(world.config.vaas?.port ?? 0);
      await world.start();
      identities = await newIdentities();
      await provisionVod(world.ccfaas);
    });
    after(async () => {
      await world?.close();
      gate?.close();
    });
    afterEach(async () => {
      gate.open();
      for (const { id } of await world.ccfaas.describeInstances()) {
        await world.ccfaas.deleteInstance(id);
      }
      assert.deepEqual((await world.vaas.list()).veracruz, []);
      assert.equal(world.launcher.running, 0);
    });

    const create = (): Promise<Answer> =>
      call("POST", `${world.ccfaasUrl}/instance`, { json: userPolicy(identities) });
    const remove = (): Promise<Answer> => call("DELETE", `${world.ccfaasUrl}/instance/0`);
    const until = (state: InstanceState) =>
      eventually(
        () => world.ccfaas.describeInstances(),
        ([instance]) => instance?.state === state,
      );

    if (patience > 0) {
      it("come up once it is back", async () => {
        gate.shut();
        const creating = create();
        await until("starting");
        gate.open();
        assert.equal((await creating).status, 200);
      });

      it("come up although CCFaaS was started again meanwhile", async () => {
        gate.shut();
        const creating = create();
        await until("starting");
        await world.stop();
        isProblem(await creating, 503, "SHUTTING_DOWN");
        await world.start();
        await until("starting");
        gate.open();
        await until("ready");
        assert.equal((await world.vaas.list()).veracruz.length, 1);
      });

      it("are deleted without waiting for it, and gone once it is back", async () => {
        gate.shut();
        const creating = create();
        await until("starting");
        isProblem(await remove(), 502, "VAAS_UNREACHABLE");
        isProblem(await creating, 409, "INSTANCE_ENDED");
        await until("ending");
        gate.open();
        await eventually(
          () => world.ccfaas.describeInstances(),
          ({ length }) => length === 0,
        );
      });
    } else {
      it("fail, and can be made again once it is back", async () => {
        gate.shut();
        isProblem(await create(), 502, "VAAS_UNREACHABLE");
        await until("ending");
        gate.open();
        await until("failed");
        assert.equal((await create()).status, 200);
      });

      it("stay ready, and are ended once it is back", async () => {
        assert.equal((await create()).status, 200);
        gate.shut();
        assert.equal((await world.ccfaas.describeInstance("0")).state, "ready");
        isProblem(await remove(), 502, "VAAS_UNREACHABLE");
        await until("ending");
        gate.open();
        await eventually(
          () => world.ccfaas.describeInstances(),
          ({ length }) => length === 0,
        );
        assert.equal(world.launcher.running, 0);
      });
    }
  });
}

describe("instances that lose their keep or their function", {
  concurrency: false,
  timeout: 120_000,
}, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;
  before(async () => {
    world = await makeWorld({ keepPorts: 2 });
    await world.start();
    identities = await newIdentities();
    await provisionVod(world.ccfaas);
  });
  after(() => world?.close());

  /** A creation that stands still while it loads. */
  const stalled = async (): Promise<{ creating: Promise<Answer>; keep: string }> => {
    world.setFaults({ stallPath: "/program_data" });
    const creating = call("POST", `${world.ccfaasUrl}/instance`, { json: userPolicy(identities) });
    await eventually(
      () => world.ccfaas.describeInstances(),
      ([instance]) => instance?.state === "provisioning" && instance.bytes_loaded > 0,
    );
    const keeps = await world.store().keeps.list();
    return { creating, keep: keeps.find(({ state }) => state === "serving")?.id ?? "" };
  };

  it("fail with their keep while they are loaded, and leave nothing", async () => {
    const { creating, keep } = await stalled();
    world.launcher.kill(keep);
    isProblem(await creating, 502, "PROVISIONING_FAILED");
    world.setFaults({});
    const failed = await eventually(
      () => world.ccfaas.describeInstance("0"),
      ({ state }) => state === "failed",
    );
    assert.match(failed.reason ?? "", /its keep ended: .*vanished|could not be provisioned/);
    assert.deepEqual((await world.vaas.list()).veracruz, []);
    await world.ccfaas.deleteInstance("0");
  });

  it("are whole although their function is deleted while they are loaded", async () => {
    const { creating } = await stalled();
    await world.ccfaas.deleteFunction("vod_small");
    assert.notDeepEqual(await world.store().blobs.list(), []);
    world.setFaults({});
    assert.equal((await creating).status, 200);
    const { bytes_loaded, bytes_total } = await world.ccfaas.describeInstance("0");
    assert.ok(bytes_total > 0 && bytes_loaded === bytes_total);
    await world.ccfaas.deleteInstance("0");
    await eventually(
      async () => {
        const { blobs } = world.store();
        await blobs.collect();
        return await blobs.list();
      },
      ({ length }) => length === 0,
    );
  });
});
