// Instances over HTTP, from request to end, with keeps that are processes. "compatible" and "different" say how an
// answer stands to the original service's; what is different is so on purpose.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { connectKeep } from "@holdfast/channel";
import { type InstanceAnswer, KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { instanceHash, parsePolicy } from "@holdfast/policy";
import { type Answer, call, isJson, isParagraph, isProblem } from "../testing/call.ts";
import {
  eventually,
  FILES,
  newIdentities,
  PROGRAM,
  provisionVod,
  sha256,
  userPolicy,
  vodFunction,
} from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

describe("instances", { concurrency: false }, () => {
  let world: World;
  let url: string;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld({ keepPorts: 2 });
    await world.start();
    url = world.ccfaasUrl;
    identities = await newIdentities();
    await provisionVod(world.ccfaas);
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    for (const { id } of await world.ccfaas.describeInstances()) {
      await world.ccfaas.deleteInstance(id);
    }
    assert.deepEqual(await livingKeeps(), []);
  });

  const create = (change: { instanceid?: string; function?: string } = {}): Promise<Answer> =>
    call("POST", `${url}/instance`, { json: userPolicy(identities, change) });
  const livingKeeps = async (): Promise<string[]> =>
    (await world.vaas.list()).veracruz.flatMap((each) => Object.keys(each));
  const stateOf = async (id: string): Promise<string> =>
    (await world.ccfaas.describeInstance(id)).state;

  it("compatible: POST /instance answers with id and policy text, and nothing else", async () => {
    const answer = await create();
    const { policy } = JSON.parse(answer.text) as InstanceAnswer;
    isJson(answer, { instance: "0", policy });
    isJson(await call("GET", `${url}/instance`), { instances: ["0"] });
    isJson(await call("GET", `${url}/instance/0`), { instance: "0", policy });
  });

  it("compatible: the policy is the seed's full policy, in its order, four spaces deep", async () => {
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    const full = JSON.parse(policy) as Record<string, unknown> & {
      identities: { id: number; certificate: string; file_rights: unknown }[];
    };
    assert.deepEqual(Object.keys(full), [
      "ciphersuite",
      "debug",
      "enable_clock",
      "execution_strategy",
      "max_memory_mib",
      "programs",
      "identities",
      "file_hashes",
      "enclave_cert_expiry",
      "proxy_attestation_server_url",
      "proxy_service_cert",
      "runtime_manager_hash_nitro",
      "runtime_manager_hash_sgx",
      "runtime_manager_hash_tz",
      "veracruz_server_url",
    ]);
    assert.equal(policy, JSON.stringify(full, undefined, 4));
    assert.deepEqual(
      full.identities.map(({ id }) => id),
      [0, 1, 2],
    );
    assert.equal(full.identities[0]?.certificate, identities.bridge.certificatePem);
    assert.deepEqual(full.identities[2]?.file_rights, vodFunction().file_rights);
    assert.equal(full["proxy_service_cert"], world.authority.certificatePem.trimEnd());
    assert.deepEqual(full["file_hashes"], [
      ...vodFunction().programs.map((p) => ({ file_path: p.program_file_name, hash: p.pi_hash })),
      ...(vodFunction().data_files ?? []).map((d) => ({ file_path: d.data_file, hash: d.pi_hash })),
    ]);
  });

  it("compatible: every stored file is in the keep when the answer comes", async () => {
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    assert.deepEqual(await filesInKeep(policy), Object.keys(FILES).sort());
  });

  it("compatible: without stored files CCFaaS has no identity in the policy", async () => {
    await world.ccfaas.registerFunction(vodFunction("bare"));
    const { policy } = await world.ccfaas.createInstance(
      userPolicy(identities, { function: "bare" }),
    );
    assert.equal(parsePolicy(policy).identities.length, 2);
    assert.deepEqual(await filesInKeep(policy), []);
    await world.ccfaas.deleteFunction("bare");
  });

  it("different: VaaS knows the instance by its own id, not by one constant for all", async () => {
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    const [keep] = (await world.vaas.keeps()).keeps;
    assert.equal(keep?.instance_id, "0");
    assert.equal(keep?.instance_hash, await instanceHash(policy));
  });

  it("compatible: DELETE /instance/I ends keep and record", async () => {
    await create();
    isParagraph(await call("DELETE", `${url}/instance/0`), "instance 0 deleted");
    isJson(await call("GET", `${url}/instance`), { instances: [] });
    assert.deepEqual(await livingKeeps(), []);
  });

  it("compatible: an unknown instance is 404", async () => {
    isProblem(await call("GET", `${url}/instance/none`), 404, "INSTANCE_NOT_FOUND");
    isProblem(await call("DELETE", `${url}/instance/none`), 404, "INSTANCE_NOT_FOUND");
  });

  it("compatible: an unknown function is 404, and no record stays", async () => {
    isProblem(await create({ function: "none" }), 404, "FUNCTION_NOT_FOUND");
    assert.deepEqual(await world.ccfaas.describeInstances(), []);
  });

  it("different: an id in use is 409, not 400, and harms nothing", async () => {
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    const problem = isProblem(await create(), 409, "INSTANCE_EXISTS");
    assert.equal(problem.detail, "Could not create instance already exists 0");
    isJson(await call("GET", `${url}/instance/0`), { instance: "0", policy });
    assert.equal((await livingKeeps()).length, 1);
  });

  it("different: a function that misses data is 409 before anything starts", async () => {
    await world.ccfaas.registerFunction(vodFunction("half"));
    await world.ccfaas.uploadProgram("half", PROGRAM, FILES[PROGRAM] ?? new Uint8Array());
    const problem = isProblem(await create({ function: "half" }), 409, "FUNCTION_INCOMPLETE");
    assert.match(problem.detail, /\/program_data\/yolov3\.weights/);
    await world.ccfaas.deleteFunction("half");
  });

  it("different: a function without data_files works, where the original crashes and blocks the id", async () => {
    const { data_files: _, ...without } = vodFunction("nodata");
    await world.ccfaas.registerFunction(without);
    await world.ccfaas.uploadProgram("nodata", PROGRAM, FILES[PROGRAM] ?? new Uint8Array());
    const { policy } = await world.ccfaas.createInstance(
      userPolicy(identities, { function: "nodata" }),
    );
    assert.deepEqual(await filesInKeep(policy), [PROGRAM]);
    await world.ccfaas.deleteFunction("nodata");
  });

  it("different: when all ports are taken it is 507, and the id is free again", async () => {
    await create({ instanceid: "1" });
    await create({ instanceid: "2" });
    const seed = await create({ instanceid: "3" });
    const json = userPolicy(identities, { instanceid: "3" });
    const v1 = await call("POST", `${url}/v1/instances`, { json });
    for (const full of [seed, v1]) {
      assert.match(isProblem(full, 507, "VAAS_REFUSED").detail, /at the latest at .*KEEPS_NO_PORT/);
      assert.match(full.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    }
    const { state, reason } = await world.ccfaas.describeInstance("3");
    assert.equal(state, "failed");
    assert.match(reason ?? "", /there is room once .* at the latest at 20\d\d-/);
    isJson(await call("GET", `${url}/instance`), { instances: ["1", "2"] });
    await world.ccfaas.deleteInstance("1");
    assert.equal((await create({ instanceid: "3" })).status, 200);
  });

  it("says why a keep did not come up, frees everything, and can be asked again", async () => {
    world.setFaults({ fail: "no evidence to be had" });
    const problem = isProblem(await create(), 502, "VAAS_REFUSED");
    assert.match(problem.detail, /no evidence to be had/);
    const { state, reason } = await world.ccfaas.describeInstance("0");
    assert.equal(state, "failed");
    assert.match(reason ?? "", /no evidence to be had/);
    isProblem(await call("GET", `${url}/instance/0`), 404, "INSTANCE_NOT_READY");
    assert.deepEqual(await livingKeeps(), []);
    world.setFaults({});
    assert.equal((await create()).status, 200);
  });

  it("different: a failed load ends the keep, where the original leaves it running", async () => {
    world.setFaults({ refusePath: "/program_data/yolov3.weights" });
    isProblem(await create(), 502, "PROVISIONING_FAILED");
    assert.deepEqual(await livingKeeps(), []);
    assert.equal(await stateOf("0"), "failed");
  });

  it("takes a load up again when its connection breaks", async () => {
    const large = new Uint8Array(400_000).map((_, index) => index * 13);
    const definition = {
      ...vodFunction("large"),
      data_files: [{ data_file: "/program_data/large", pi_hash: sha256(large) }],
    };
    await world.ccfaas.registerFunction(definition);
    await world.ccfaas.uploadDataFile("large", "/program_data/large", large);
    world.setFaults({ cutEvery: 150_000 });
    const { policy } = await world.ccfaas.createInstance(
      userPolicy(identities, { function: "large" }),
    );
    assert.deepEqual(await filesInKeep(policy), ["/program_data/large"]);
    await world.ccfaas.deleteFunction("large");
  });

  it("a keep of another measurement is never loaded", async () => {
    world.setFaults({ measurement: "ab".repeat(32) });
    const problem = isProblem(await create(), 502, "VAAS_REFUSED");
    assert.match(problem.detail, /keep\.measurement/);
    assert.deepEqual(await livingKeeps(), []);
  });

  it("different: an instance whose keep ends is ended too, with the reason", async () => {
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    await withKeep(policy, (keep) => keep.shutdown());
    const ended = await eventually(
      () => world.ccfaas.describeInstance("0"),
      ({ state }) => state === "ended",
    );
    assert.equal(ended.reason, "its keep ended: shut down by a client");
    isJson(await call("GET", `${url}/instance`), { instances: [] });
    isProblem(await call("GET", `${url}/instance/0`), 404, "INSTANCE_NOT_READY");
    assert.equal((await create()).status, 200);
  });

  it("notices a keep that was killed", async () => {
    await create();
    const [keep] = await world.store().keeps.list();
    world.launcher.kill(keep?.id ?? "");
    const ended = await eventually(
      () => world.ccfaas.describeInstance("0"),
      ({ state }) => state === "ended",
    );
    assert.match(ended.reason ?? "", /vanished/);
    assert.deepEqual(await livingKeeps(), []);
  });

  for (const [state, faults] of [
    ["starting", { stayAt: "starting" }],
    ["starting", { stayAt: "attested" }],
    ["provisioning", { stallPath: "/program_data" }],
  ] as const) {
    it(`deletes an instance that is ${state} (${JSON.stringify(faults)})`, async () => {
      world.setFaults(faults);
      const creating = create();
      await eventually(
        () => world.ccfaas.describeInstances(),
        ([instance]) => instance?.state === state,
      );
      await eventually(livingKeeps, ({ length }) => length === 1);
      isParagraph(await call("DELETE", `${url}/instance/0`), "instance 0 deleted");
      isProblem(await creating, 409, "INSTANCE_ENDED");
      assert.deepEqual(await world.ccfaas.describeInstances(), []);
      assert.deepEqual(await livingKeeps(), []);
    });
  }

  it("makes one instance of several requests for one id at once", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => create()));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409]);
    assert.equal((await livingKeeps()).length, 1);
  });

  it("loads lower priorities first, programs before all data", async () => {
    const files = (vodFunction().data_files ?? []).map((file, index) => ({
      ...file,
      priority: -index,
    }));
    await world.ccfaas.registerFunction({ ...vodFunction("ordered"), data_files: files });
    await world.ccfaas.uploadProgram("ordered", PROGRAM, FILES[PROGRAM] ?? new Uint8Array());
    for (const { data_file } of files) {
      await world.ccfaas.uploadDataFile("ordered", data_file, FILES[data_file] ?? new Uint8Array());
    }
    const { policy } = await world.ccfaas.createInstance(
      userPolicy(identities, { function: "ordered" }),
    );
    const order = [PROGRAM, ...files.map(({ data_file }) => data_file).reverse()];
    assert.deepEqual(await filesInKeep(policy, false), order);
    await world.ccfaas.deleteFunction("ordered");
  });

  describe("refuses a user policy", { concurrency: false }, () => {
    type Body = ReturnType<typeof userPolicy>;
    const withIdentity = (body: Body, change: object): unknown => ({
      ...body,
      identities: body.identities.map((identity) => ({ ...identity, ...change })),
    });
    const cases: readonly (readonly [string, number, (body: Body) => unknown])[] = [
      ["without an id", 400, ({ instanceid: _, ...body }) => body],
      ["with an unknown member", 400, (body) => ({ ...body, extra: 1 })],
      ["with a number for an id", 400, (body) => ({ ...body, instanceid: 0 })],
      ["with an unknown member in an identity", 400, (body) => withIdentity(body, { id: 0 })],
      ["with an empty id", 422, (body) => ({ ...body, instanceid: "" })],
      [
        "with a text that is no certificate",
        422,
        (body) => withIdentity(body, { certificate: "no" }),
      ],
      [
        "with a certificate that is cut",
        422,
        (body) =>
          withIdentity(body, { certificate: body.identities[0]?.certificate.slice(0, 200) }),
      ],
      [
        "with one certificate twice",
        422,
        (body) => withIdentity(body, { certificate: body.identities[0]?.certificate }),
      ],
      [
        "with .. in a path",
        422,
        (body) => withIdentity(body, { file_rights: [{ file_name: "/a/..", rights: 2 }] }),
      ],
    ];
    for (const [name, status, change] of cases) {
      it(name, async () => {
        const json = change(userPolicy(identities));
        const code = status === 400 ? "REQUEST_INVALID" : "POLICY_INVALID";
        isProblem(await call("POST", `${url}/instance`, { json }), status, code);
        assert.deepEqual(await world.ccfaas.describeInstances(), []);
        assert.deepEqual(await livingKeeps(), []);
      });
    }
  });

  it("takes certificates as the original user program flattens them", async () => {
    const flat = (pem: string): string =>
      pem.replace(
        /-----\n([\s\S]*)\n-----/,
        (_, body: string) => `-----\n${body.replaceAll("\n", "")}\n-----`,
      );
    const policy = userPolicy(identities);
    const json = {
      ...policy,
      identities: policy.identities.map((each) => ({
        ...each,
        certificate: flat(each.certificate),
      })),
    };
    assert.equal((await call("POST", `${url}/instance`, { json })).status, 200);
  });

  async function filesInKeep(policy: string, sorted = true): Promise<string[]> {
    const { entries } = await withKeep(policy, (keep) => keep.list("/"));
    const names = entries.map(({ name }) => name);
    return sorted ? names.sort() : names;
  }

  async function withKeep<T>(policy: string, work: (keep: KeepClient) => Promise<T>): Promise<T> {
    const connection = await connectKeep({
      policy: parsePolicy(policy),
      identity: identities.user,
      clock: systemClock,
    });
    try {
      return await work(new KeepClient(connection));
    } finally {
      connection.close();
    }
  }
});

describe("instances without VaaS", () => {
  it("different: it is 502, not 500, and the record says that an end is still to be made", async () => {
    const world = await makeWorld({
      vaasUrl: "http://127.0.0.1:9",
      ccfaas: { vaas_patience_ms: 0 },
    });
    try {
      await world.start();
      await world.ccfaas.registerFunction(vodFunction());
      const json = userPolicy(await newIdentities());
      const answer = await call("POST", `${world.ccfaasUrl}/instance`, { json });
      const { detail } = isProblem(answer, 502, "VAAS_UNREACHABLE");
      assert.match(detail, /^Error accessing the vaas_server /);
      // Its keep, had there been one, is not ended yet: the record says so until it is.
      assert.equal((await world.ccfaas.describeInstance("0")).state, "ending");
      isProblem(await call("DELETE", `${world.ccfaasUrl}/instance/0`), 502, "VAAS_UNREACHABLE");
    } finally {
      await world.close();
    }
  });
});
