// What the original CCFaaS does to an instance that is asked after too soon, and ours does not. Its other answers are
// compared with ours in test/interop.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call, isProblem } from "../testing/call.ts";
import { eventually, newIdentities, provisionVod, userPolicy } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

describe("an instance that is coming up", { concurrency: false }, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld();
    await world.start();
    identities = await newIdentities();
    await provisionVod(world.ccfaas);
  });
  after(() => world?.close());

  it("different: asking after an instance that is coming up is 404 and harms nothing", async () => {
    world.setFaults({ stallPath: "/program_data" });
    const creating = world.ccfaas.createInstance(userPolicy(identities));
    try {
      await eventually(
        () => world.ccfaas.describeInstances(),
        ([instance]) => instance?.state === "provisioning",
      );
      const asked = await call("GET", `${world.ccfaasUrl}/instance/0`);
      isProblem(asked, 404, "INSTANCE_NOT_READY");
    } finally {
      world.setFaults({});
    }
    assert.equal((await creating).instance, "0");
    assert.equal((await world.ccfaas.describeInstance("0")).state, "ready");
  });
});
