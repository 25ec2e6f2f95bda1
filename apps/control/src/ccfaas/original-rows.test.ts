// Answers of the original services that no other file has: how a name stands to the original's is said first.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call, isProblem } from "../testing/call.ts";
import {
  eventually,
  newIdentities,
  provisionVod,
  userPolicy,
  vodFunction,
} from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

describe("answers of the original services", { concurrency: false }, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld();
    await world.start();
    identities = await newIdentities();
    await provisionVod(world.ccfaas);
  });
  after(() => world?.close());

  it("compatible: an integer may be written 2000.0, and is no boolean", async () => {
    const text = JSON.stringify(vodFunction("decimal")).replace(":2000", ":2000.0");
    const headers = { "content-type": "application/json" };
    const url = `${world.ccfaasUrl}/function`;
    assert.equal((await call("POST", url, { body: text, headers })).status, 200);
    const json = { ...vodFunction("boolean"), max_memory_mib: true };
    isProblem(await call("POST", url, { json }), 400, "REQUEST_INVALID");
  });

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

  it("compatible: an instance outlives its function", async () => {
    await provisionVod(world.ccfaas, "short");
    await world.ccfaas.createInstance(
      userPolicy(identities, { function: "short", instanceid: "survivor" }),
    );
    await world.ccfaas.deleteFunction("short");
    assert.deepEqual(await world.ccfaas.listInstances(), ["0", "survivor"]);
    const { policy } = await world.ccfaas.getInstance("survivor");
    assert.match(policy, /"proxy_attestation_server_url"/);
  });

  it("different: a file is never there by half: one that was refused is not loaded", async () => {
    await world.ccfaas.registerFunction(vodFunction("trap"));
    const name = Buffer.from("/program/detector.wasm").toString("base64url");
    const url = `${world.ccfaasUrl}/function/trap/program/${name}`;
    isProblem(await call("POST", url, { body: "other" }), 422, "FILE_HASH_MISMATCH");
    isProblem(await call("GET", url), 404, "FILE_NOT_LOADED");
    isProblem(await call("DELETE", url), 404, "FILE_NOT_LOADED");
  });
});
