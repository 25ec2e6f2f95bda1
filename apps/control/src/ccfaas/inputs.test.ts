// Functions some of whose files keeps fetch themselves: nobody uploads those, and an instance is ready once its keep has them.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { FunctionBody, InstanceResource } from "@holdfast/contract";
import { fromText, toBase64 } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import { call, isProblem } from "../testing/call.ts";
import {
  DATA_FILES,
  eventually,
  FILES,
  newIdentities,
  PROGRAM,
  sha256,
  userPolicy,
  vodFunction,
} from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const WEIGHTS = "/program_data/yolov3.weights";
const SIZE = 1000;
const REASON = "INPUT_KEY_REFUSED: the attestation service does not release key model: 403";
const SEALED = {
  source: "https://files.example/weights",
  sha256: "ab".repeat(32),
  size: SIZE,
  key: "model",
};

/** The seed's function; keeps fetch these files of it themselves. */
function withInputs(name: string, ...paths: readonly string[]): FunctionBody {
  const inputs = paths.map((path) => ({ path, ...SEALED }));
  return { ...vodFunction(name), holdfast: { inputs } };
}

describe("inputs of functions", { concurrency: false, timeout: 180_000 }, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld({ keepPorts: 2 });
    await world.start();
    identities = await newIdentities();
    await world.ccfaas.registerFunction(withInputs("sealed", WEIGHTS));
    await world.ccfaas.uploadProgram("sealed", PROGRAM, bytesOf(PROGRAM));
    for (const path of DATA_FILES.filter((each) => each !== WEIGHTS)) {
      await world.ccfaas.uploadDataFile("sealed", path, bytesOf(path));
    }
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    for (const { id } of await world.ccfaas.describeInstances()) {
      await world.ccfaas.deleteInstance(id);
    }
  });

  const bytesOf = (path: string): Uint8Array => FILES[path] ?? new Uint8Array();
  const create = async (name: string, instanceid = "0") => {
    const json = userPolicy(identities, { function: name, instanceid });
    const headers = { prefer: "respond-async" };
    const answer = await call("POST", `${world.ccfaasUrl}/v1/instances`, { json, headers });
    assert.equal(answer.status, 202, answer.text);
  };
  const reaches = (state: InstanceResource["state"], id = "0") =>
    eventually(
      () => world.ccfaas.describeInstance(id),
      (instance) => instance.state === state || instance.state === "failed",
    );

  it("are not missing, and can't be uploaded or fetched here", async () => {
    const { ccfaas, ccfaasUrl } = world;
    const { state, missing, files, version } = await ccfaas.describeFunction("sealed");
    assert.deepEqual([state, missing, version], ["provisioned", [], 1]);
    const file = files.find(({ path }) => path === WEIGHTS);
    assert.deepEqual(file, {
      path: WEIGHTS,
      kind: "data_file",
      sha256: sha256(bytesOf(WEIGHTS)),
      stored: false,
      source: SEALED.source,
    });
    const name = encodeURIComponent(toBase64(fromText(WEIGHTS)));
    const upload = await call("POST", `${ccfaasUrl}/function/sealed/data_file/${name}`, {
      body: Buffer.from(bytesOf(WEIGHTS)),
    });
    isProblem(upload, 409, "FILE_IS_INPUT");
    const json = { path: WEIGHTS, source: "https://files.example/weights" };
    const fetched = await call("POST", `${ccfaasUrl}/v1/functions/sealed/fetch`, { json });
    isProblem(fetched, 409, "FILE_IS_INPUT");
  });

  it("that could be any file are refused with the function", async () => {
    const json = withInputs("other", "/program_data/unpinned");
    const answer = await call("POST", `${world.ccfaasUrl}/function`, { json });
    isProblem(answer, 422, "POLICY_INVALID");
    assert.match(answer.text, /INPUT_UNPINNED/);
  });

  it("hold an instance back until its keep has them, and show how far it is", async () => {
    world.setFaults({ inputs: [{ state: "fetching", received: 400 }] });
    await create("sealed");
    const loaded = Object.entries(FILES)
      .filter(([path]) => path !== WEIGHTS)
      .reduce((sum, [, { length }]) => sum + length, 0);
    const provisioning = await eventually(
      () => world.ccfaas.describeInstance("0"),
      ({ bytes_loaded }) => bytes_loaded === loaded + 400,
    );
    assert.equal(provisioning.state, "provisioning");
    assert.equal(provisioning.bytes_total, loaded + SIZE);
    world.setFaults({});
    const { state, bytes_loaded } = await reaches("ready");
    assert.deepEqual([state, bytes_loaded], ["ready", loaded + SIZE]);
  });

  it("need CCFaaS to look, even when it loads nothing", async () => {
    await world.ccfaas.registerFunction(withInputs("bare", PROGRAM, ...DATA_FILES));
    const { state, version } = await world.ccfaas.describeFunction("bare");
    assert.deepEqual([state, version], ["provisioned", 1]);
    const { policy } = await world.ccfaas.createInstance(
      userPolicy(identities, { function: "bare" }),
    );
    const read = parsePolicy(policy);
    assert.equal(read.identities.length, 3);
    assert.deepEqual(
      read.terms.inputs.map(({ path }) => path),
      [PROGRAM, ...DATA_FILES],
    );
    await world.ccfaas.deleteFunction("bare");
  });

  it("that fail are the end of the instance and its keep, with the keep's reason", async () => {
    world.setFaults({ inputs: [{ state: "failed", received: 0, reason: REASON }] });
    await create("sealed");
    const { reason } = await reaches("failed");
    assert.equal(reason, `the keep could not fetch ${WEIGHTS}: ${REASON}`);
    assert.deepEqual((await world.vaas.list()).veracruz, []);
  });

  it("of a keep that ends meanwhile are the end of the instance, which says so", async () => {
    world.setFaults({ inputs: [{ state: "fetching", received: 1 }] });
    await create("sealed");
    await reaches("provisioning");
    world.launcher.killAll();
    const { state, reason } = await reaches("failed");
    assert.equal(state, "failed");
    assert.match(reason ?? "", /keep/);
    assert.deepEqual((await world.vaas.list()).veracruz, []);
  });

  it("that are fetched for ever do not keep an instance from being deleted", async () => {
    world.setFaults({ inputs: [{ state: "fetching", received: 1 }] });
    await create("sealed");
    await reaches("provisioning");
    await world.ccfaas.deleteInstance("0");
    assert.deepEqual(await world.ccfaas.describeInstances(), []);
    assert.deepEqual((await world.vaas.list()).veracruz, []);
  });
});

describe("inputs, and a control plane that is killed meanwhile", { timeout: 180_000 }, () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ keepPorts: 2 });
  });
  after(() => world?.close());

  it("go on in the keep; the next process tells what became of them", async () => {
    const identities = await newIdentities();
    const fetching = { state: "fetching", received: 1 };
    world.setFaults({ inputs: [fetching, fetching] });
    const first = await world.spawn();
    // The second input of one of them is to fail.
    await world.ccfaas.registerFunction(withInputs("comes", WEIGHTS));
    await world.ccfaas.registerFunction(withInputs("fails", WEIGHTS, PROGRAM));
    for (const name of ["comes", "fails"]) {
      const json = userPolicy(identities, { function: name, instanceid: name });
      const headers = { prefer: "respond-async" };
      await call("POST", `${world.ccfaasUrl}/v1/instances`, { json, headers });
    }
    const states = async () =>
      Promise.all(["comes", "fails"].map((id) => world.ccfaas.describeInstance(id)));
    await eventually(states, (all) => all.every(({ state }) => state === "provisioning"));
    first.kill("SIGKILL");
    const ready = { state: "ready", received: SIZE };
    world.setFaults({ inputs: [ready, { state: "failed", received: 0, reason: REASON }] });
    await world.spawn();
    const over = await eventually(states, ([comes, fails]) => {
      return comes?.state === "ready" && fails?.state === "failed";
    });
    assert.equal(over[1]?.reason, `the keep could not fetch ${PROGRAM}: ${REASON}`);
    assert.equal((await world.vaas.list()).veracruz.length, 1);
  });
});
