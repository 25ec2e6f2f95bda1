// VaaS over HTTP. "compatible" and "different" say how an answer stands to the original service's; what is different is
// so on purpose.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import type { VaasPolicyBody, VeracruzCreated } from "@holdfast/contract";
import { instanceHash, parsePolicy } from "@holdfast/policy";
import { call, isJson, isParagraph, isProblem } from "../testing/call.ts";
import { newIdentities } from "../testing/samples.ts";
import { type VaasCalls, vaasCalls } from "../testing/vaas-calls.ts";
import { makeWorld, type World } from "../testing/world.ts";

describe("VaaS", { concurrency: false }, () => {
  let world: World;
  let url: string;
  let identities: Awaited<ReturnType<typeof newIdentities>>;
  let body: VaasCalls["body"];
  let create: VaasCalls["create"];
  let created: VaasCalls["created"];
  let living: VaasCalls["living"];
  let deleteAll: VaasCalls["deleteAll"];

  before(async () => {
    world = await makeWorld({ keepPorts: 3, keeps: { max_memory_mib_total: 5000 } });
    await world.start();
    url = world.vaasUrl;
    identities = await newIdentities();
    ({ body, create, created, living, deleteAll } = vaasCalls(world, identities.user));
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    await deleteAll();
  });

  it("compatible: POST /veracruz answers with hash, id and policy text", async () => {
    const answer = await create();
    const value = JSON.parse(answer.text) as VeracruzCreated;
    isJson(answer, {
      instance_hash: await instanceHash(value.policy),
      instance_id: "instance1",
      policy: value.policy,
    });
    assert.match(value.instance_hash, /^[0-9a-f]{59}$/);
    const policy = JSON.parse(value.policy) as Record<string, unknown>;
    const { instance_id: _, ...asked } = body();
    for (const [name, member] of Object.entries(asked))
      assert.deepEqual(policy[name], member, name);
    assert.equal("instance_id" in policy, false);
  });

  it("compatible: without an id none is answered, without an expiry it is in 180 days", async () => {
    const { instance_id: _, enclave_cert_expiry: __, file_hashes: ___, ...least } = body();
    const answer = await call("POST", `${url}/veracruz`, { json: least });
    const value = JSON.parse(answer.text) as VeracruzCreated;
    assert.deepEqual(Object.keys(value), ["instance_hash", "policy"]);
    const days = (parsePolicy(value.policy).certificateExpiry.getTime() - Date.now()) / 86_400_000;
    assert.equal(Math.round(days), 180);
  });

  it("compatible: GET /veracruz lists names with hash, id and status, filtered when asked", async () => {
    isJson(await call("GET", `${url}/veracruz`), { veracruz: [] });
    const one = await created();
    const two = await created({ instance_id: "instance2" });
    const entry = (of: typeof one, id: string): unknown => ({
      [of.name]: { instance_hash: of.instance_hash, instance_id: id, status: "OK" },
    });
    const all = [entry(one, "instance1"), entry(two, "instance2")];
    isJson(await call("GET", `${url}/veracruz`), { veracruz: all });
    const byId = await call("GET", `${url}/veracruz?instance_id=instance2`);
    isJson(byId, { veracruz: [all[1]] });
    const byHash = await call("GET", `${url}/veracruz?instance_hash=${one.instance_hash}`);
    isJson(byHash, { veracruz: [all[0]] });
    isJson(await call("GET", `${url}/veracruz?instance_id=none`), { veracruz: [] });
  });

  it("compatible: GET /veracruz/HOST:PORT tells hash, id and status", async () => {
    const { name, instance_hash } = await created();
    const expected = { instance_hash, instance_id: "instance1", status: "OK" };
    isJson(await call("GET", `${url}/veracruz/${name}`), expected);
    isJson(await call("GET", `${url}/veracruz/${name}?instance_id=instance1`), expected);
  });

  it("different: the host of the policy finds the instance as well as the internal name", async () => {
    const { name } = await created();
    const port = name.split(":")[1];
    assert.equal((await call("GET", `${url}/veracruz/127.0.0.1:${port}`)).status, 200);
  });

  it("compatible: wrong ids are 404; different: a wrong hash too, where the original fails", async () => {
    const { name } = await created();
    isProblem(
      await call("GET", `${url}/veracruz/${name}?instance_id=other`),
      404,
      "KEEP_NOT_FOUND",
    );
    isProblem(await call("GET", `${url}/veracruz/${name}?instance_hash=00`), 404, "KEEP_NOT_FOUND");
  });

  it("compatible: an instance that is not there is 404", async () => {
    const answer = await call("GET", `${url}/veracruz/veracruz-nitro-server:1`);
    const { detail } = isProblem(answer, 404, "KEEP_NOT_FOUND");
    assert.equal(detail, "Veracruz instance 'veracruz-nitro-server:1' does not exist!");
    isProblem(
      await call("DELETE", `${url}/veracruz/veracruz-nitro-server:1`),
      404,
      "KEEP_NOT_FOUND",
    );
  });

  it("different: a name without host and port is 400, not 200", async () => {
    for (const name of ["noport", "a:b", "a:1:2", ":3014", "a%2Fb:1"]) {
      const problem = isProblem(await call("GET", `${url}/veracruz/${name}`), 400, "NAME_INVALID");
      assert.equal(problem.detail, "name should be on the form <host>:<port>");
      isProblem(await call("DELETE", `${url}/veracruz/${name}`), 400, "NAME_INVALID");
    }
  });

  it("compatible: DELETE wants the hash, and removes the instance", async () => {
    const { name, instance_hash: hash } = await created();
    isProblem(await call("DELETE", `${url}/veracruz/${name}`), 404, "KEEP_NOT_FOUND");
    isProblem(
      await call("DELETE", `${url}/veracruz/${name}?instance_hash=0`),
      404,
      "KEEP_NOT_FOUND",
    );
    const wrong = `instance_hash=${hash}&instance_id=other`;
    isProblem(await call("DELETE", `${url}/veracruz/${name}?${wrong}`), 404, "KEEP_NOT_FOUND");
    assert.deepEqual(await living(), [name]);
    const right = `instance_hash=${hash}&instance_id=instance1`;
    const answer = await call("DELETE", `${url}/veracruz/${name}?${right}`);
    isParagraph(answer, `Veracruz instance '${name}' was removed`);
    assert.deepEqual(await living(), []);
  });

  it("different: the id may be left out of a DELETE, where the original answers 500", async () => {
    const { name, instance_hash: hash } = await created();
    const answer = await call("DELETE", `${url}/veracruz/${name}?instance_hash=${hash}`);
    assert.equal(answer.status, 200);
  });

  it("different: a port is free again at once after a DELETE, and nothing of the keep runs", async () => {
    const first = await created();
    await deleteAll();
    assert.equal(world.launcher.running, 0);
    const second = await created();
    assert.equal(second.name, first.name);
  });

  it("makes one keep of one idempotency key, asked at once and again", async () => {
    const answers = await Promise.all([
      create({}, "key-1"),
      create({}, "key-1"),
      create({}, "key-1"),
    ]);
    answers.push(await create({}, "key-1"));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal((await living()).length, 1);
    isProblem(await create({ instance_id: "other" }, "key-1"), 422, "IDEMPOTENCY_KEY_REUSED");
    await deleteAll();
    assert.equal((await create({ instance_id: "other" }, "key-1")).status, 200);
  });

  it("says why a keep did not come up, and frees its port", async () => {
    for (const [faults, reason] of [
      [{ fail: "no evidence" }, /no evidence/],
      [{ vanish: true }, /vanished/],
      [{ measurement: "ab".repeat(32) }, /keep\.measurement/],
    ] as const) {
      world.setFaults(faults);
      const { detail } = isProblem(await create(), 502, "KEEP_FAILED");
      assert.match(detail, reason);
      assert.deepEqual(await living(), []);
      assert.deepEqual(await world.store().keeps.usedPorts("127.0.0.1"), new Set());
    }
  });

  it("ends a keep that does not come up in time", async () => {
    const slow = await makeWorld({ keeps: { start_timeout_ms: 1000 } });
    try {
      await slow.start();
      slow.setFaults({ stayAt: "attested" });
      const answer = await call("POST", `${slow.vaasUrl}/veracruz`, { json: body() });
      assert.match(isProblem(answer, 502, "KEEP_FAILED").detail, /did not serve within 1000 ms/);
      assert.equal(slow.launcher.running, 0);
    } finally {
      await slow.close();
    }
  });

  it("refused: a place in the list of keeps that is none", async () => {
    const place = encodeURIComponent(`${new Date().toISOString()} ${randomUUID()}`);
    assert.equal((await call("GET", `${url}/v1/keeps?after=${place}`)).status, 200);
    for (const none of ["", "x", "zzzz", "2026-01-02"])
      isProblem(await call("GET", `${url}/v1/keeps?after=${none}`), 400, "REQUEST_INVALID");
  });

  it("remembers how keeps ended", async () => {
    const { instance_hash } = await created();
    await deleteAll();
    const keep = await world.vaas.keep(instance_hash);
    assert.equal(`${keep.state} ${keep.reason}`, "ended deleted");
    isProblem(await call("GET", `${url}/v1/keeps/none`), 404, "KEEP_NOT_FOUND");
  });

  it("is 503 without a bundle, and starts nothing", async () => {
    const bundle = world.config.keeps?.bundle ?? "";
    rmSync(bundle);
    try {
      isProblem(await create(), 503, "BUNDLE_MISSING");
    } finally {
      writeFileSync(bundle, "// another bundle\n");
    }
    assert.deepEqual(await living(), []);
    assert.equal((await create()).status, 200);
  });

  it("is 503 without the attestation service, and starts nothing", async () => {
    const other = await makeWorld();
    try {
      await other.start();
      await other.authority.close();
      const answer = await call("POST", `${other.vaasUrl}/veracruz`, { json: body() });
      isProblem(answer, 503, "ATTESTATION_UNREACHABLE");
      assert.deepEqual((await other.vaas.keeps()).keeps, []);
    } finally {
      await other.close();
    }
  });

  describe("refuses a policy", { concurrency: false }, () => {
    const cases: readonly (readonly [string, number, (body: VaasPolicyBody) => unknown])[] = [
      ["that is a text", 400, () => "policy"],
      ["without identities", 400, ({ identities: _, ...rest }) => rest],
      ["with an unknown member", 400, (policy) => ({ ...policy, pi_hash: "" })],
      [
        "with the infrastructure's members",
        400,
        (policy) => ({ ...policy, veracruz_server_url: "a:1" }),
      ],
      [
        "with a text for an id",
        400,
        (policy) => ({ ...policy, identities: policy.identities.map((i) => ({ ...i, id: "0" })) }),
      ],
      ["with a boolean for memory", 400, (policy) => ({ ...policy, max_memory_mib: true })],
      ["with half an expiry", 400, (policy) => ({ ...policy, enclave_cert_expiry: { day: 1 } })],
      [
        "with the 31st of February",
        422,
        (policy) => ({
          ...policy,
          enclave_cert_expiry: { day: 31, hour: 0, minute: 0, month: 2, year: 2099 },
        }),
      ],
      [
        "whose date is over",
        422,
        (policy) => ({
          ...policy,
          enclave_cert_expiry: { day: 11, hour: 16, minute: 46, month: 4, year: 2023 },
        }),
      ],
      [
        "with a suite of TLS 1.2",
        422,
        (policy) => ({ ...policy, ciphersuite: "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384" }),
      ],
      [
        "with one id twice",
        422,
        (policy) => ({ ...policy, programs: [...policy.programs, ...policy.programs] }),
      ],
      [
        "with a hash that is none",
        422,
        (policy) => ({ ...policy, file_hashes: [{ file_path: "/a", hash: "zz" }] }),
      ],
    ];
    for (const [name, status, change] of cases) {
      it(name, async () => {
        const answer = await call("POST", `${url}/veracruz`, { json: change(body()) });
        isProblem(answer, status, status === 400 ? "REQUEST_INVALID" : "POLICY_INVALID");
        assert.deepEqual(await living(), []);
      });
    }

    it("different: that is no JSON with 400 and 415, as problem documents", async () => {
      const json = { "content-type": "application/json" };
      isProblem(
        await call("POST", `${url}/veracruz`, { body: "[", headers: json }),
        400,
        "REQUEST_INVALID",
      );
      const form = { "content-type": "application/x-www-form-urlencoded" };
      isProblem(
        await call("POST", `${url}/veracruz`, { body: "a=b", headers: form }),
        415,
        "REQUEST_MEDIA_TYPE",
      );
    });
  });
});
