// An instance that another process took over, because this one stood still for longer than its lease: from then on it is
// the other's alone. And one whose database was away for a moment: it is nobody else's, and is gone on with.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ServiceRefusal } from "@holdfast/contract";
import { eventually, newIdentities, provisionVod, userPolicy } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const PAST_EVERY_LEASE = "9000-01-01T00:00:00.000Z";
const OTHER = { owner: "another process", until: "9000-01-02T00:00:00.000Z" };

describe("an instance that another process took over", { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
    await world.start();
    await provisionVod(world.ccfaas);
  });
  after(() => world?.close());

  for (const [what, faults] of [
    ["is not failed by the first one's failure", { refusePath: "/program" }],
    ["is not made ready by the first one", {}],
  ] as const) {
    it(what, async () => {
      const { ccfaas } = world;
      world.setFaults({ stallPath: "/program" });
      const identities = await newIdentities();
      const creating = ccfaas.createInstance(userPolicy(identities)).catch((thrown) => thrown);
      await eventually(
        () => ccfaas.describeInstances(),
        ([instance]) => instance?.state === "provisioning",
      );
      const { instances } = world.store();
      const [{ key = "" } = {}] = await instances.living();
      const times = { now: PAST_EVERY_LEASE, until: OTHER.until };
      assert.equal(await instances.claim(key, OTHER.owner, times), true);
      world.setFaults(faults);
      const { status, code } = (await creating) as ServiceRefusal;
      assert.equal(`${status} ${code}`, "503 INSTANCE_BUSY");
      assert.equal((await instances.findByKey(key))?.state, "provisioning");
      await instances.release(key, OTHER.owner);
      await ccfaas.deleteInstance("0");
    });
  }

  it("is gone on with, when only the database was away for a moment", async () => {
    const { ccfaas } = world;
    const { instances } = world.store();
    const markLoaded = instances.markLoaded.bind(instances);
    instances.markLoaded = () => {
      instances.markLoaded = markLoaded;
      return Promise.reject(Object.assign(new Error("shut down"), { code: "57P01" }));
    };
    const creating = ccfaas.createInstance(userPolicy(await newIdentities()));
    await assert.rejects(creating, { code: "STORE_UNREACHABLE", status: 503 });
    await eventually(
      () => ccfaas.describeInstance("0"),
      ({ state }) => state === "ready",
    );
    await ccfaas.deleteInstance("0");
  });
});
