// Namespaces as resources: made, bounded, changed, removed, and by whom.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CcfaasClient, fetchTransport, NamespaceClient, namespaceUrl } from "@holdfast/contract";
import { call, isProblem } from "../testing/call.ts";
import {
  FILES,
  newIdentities,
  PROGRAM,
  provisionVod,
  userPolicy,
  vodFunction,
} from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const NOTHING = { functions: 0, instances: 0, bytes: 0, memory_mib: 0 };
const PROGRAM_BYTES = FILES[PROGRAM] ?? new Uint8Array();

describe("namespaces as resources", { concurrency: false }, () => {
  let world: World;
  let namespaces: NamespaceClient;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld({ keepPorts: 4 });
    await world.start();
    namespaces = new NamespaceClient(fetchTransport(world.ccfaasUrl));
    identities = await newIdentities();
  });
  after(() => world?.close());

  const within = (name: string): CcfaasClient =>
    new CcfaasClient(fetchTransport(namespaceUrl(world.ccfaasUrl, name)));

  it("makes, shows, changes and removes one, at either door", async () => {
    const quotas = { functions: 1, bytes: 2 ** 40 };
    const made = await namespaces.create({ name: "team", quotas });
    assert.deepEqual(
      { ...made, created_at: "" },
      { name: "team", quotas, used: NOTHING, created_at: "" },
    );
    const atVaas = new NamespaceClient(fetchTransport(world.vaasUrl));
    assert.deepEqual(await atVaas.get("team"), made);
    const own = new NamespaceClient(fetchTransport(namespaceUrl(world.vaasUrl, "team")));
    assert.deepEqual(await own.own(), made);
    assert.equal((await namespaces.own()).name, "default");
    assert.deepEqual(
      (await namespaces.list()).map(({ name }) => name),
      ["default", "team"],
    );
    const changed = await namespaces.change("team", { bytes: null, memory_mib: 7 });
    assert.deepEqual(changed.quotas, { functions: 1, memory_mib: 7 });
    const put = await namespaces.put("team", { quotas: { instances: 2 } });
    assert.deepEqual(put.quotas, { instances: 2 });
    await atVaas.delete("team");
    await assert.rejects(namespaces.get("team"), { code: "NAMESPACE_UNKNOWN" });
    await assert.rejects(namespaces.delete("team"), { code: "NAMESPACE_UNKNOWN" });
    await assert.rejects(namespaces.change("team", {}), { code: "NAMESPACE_UNKNOWN" });
    assert.deepEqual((await namespaces.put("team", {})).quotas, {});
    await namespaces.delete("team");
  });

  it("refuses names that are taken or none", async () => {
    await namespaces.create({ name: "taken" });
    await assert.rejects(namespaces.create({ name: "taken" }), { code: "NAMESPACE_EXISTS" });
    await assert.rejects(namespaces.create({ name: "default" }), { code: "NAMESPACE_EXISTS" });
    await assert.rejects(namespaces.create({ name: "No" }), { code: "REQUEST_INVALID" });
    await assert.rejects(namespaces.put("No", {}), { code: "NAMESPACE_INVALID" });
    await namespaces.delete("taken");
  });

  it("removes neither default nor what is not empty", async () => {
    await assert.rejects(namespaces.delete("default"), { code: "NAMESPACE_IN_USE" });
    await namespaces.create({ name: "full" });
    await within("full").registerFunction(vodFunction());
    await assert.rejects(namespaces.delete("full"), { code: "NAMESPACE_IN_USE" });
    await within("full").deleteFunction("vod_small");
    await namespaces.delete("full");
  });

  it("says which quota is used up, how much of it, and what to do", async () => {
    await namespaces.create({ name: "small", quotas: { functions: 1, instances: 1 } });
    const small = within("small");
    await small.registerFunction({ ...vodFunction(), data_files: [] });
    const registering = small.registerFunction(vodFunction("more"));
    await assert.rejects(registering, {
      code: "QUOTA_FUNCTIONS",
      status: 507,
      message:
        "namespace small may have 1 functions and has 1; this takes 1 more: delete one, or have the quota raised",
    });
    await small.createInstance(userPolicy(identities));
    const another = small.createInstance(userPolicy(identities, { instanceid: "1" }));
    await assert.rejects(another, { code: "QUOTA_INSTANCES", status: 507 });
    assert.deepEqual(await small.listInstances(), ["0"]);
    await namespaces.change("small", { memory_mib: 3000, instances: null });
    const tooMuch = small.createInstance(userPolicy(identities, { instanceid: "1" }));
    await assert.rejects(tooMuch, { code: "VAAS_REFUSED", status: 507, message: /QUOTA_MEMORY/ });
    assert.equal((await namespaces.get("small")).used.memory_mib, 2000);
    await small.deleteInstance("0");
    assert.equal((await namespaces.get("small")).used.memory_mib, 0);
    await small.createInstance(userPolicy(identities, { instanceid: "2" }));
    await small.deleteInstance("2");
    await small.deleteFunction("vod_small");
    await namespaces.delete("small");
  });

  it("counts bytes once they are acknowledged, and frees them with what had them", async () => {
    const size = PROGRAM_BYTES.length;
    await namespaces.create({ name: "bytes", quotas: { bytes: size } });
    const bytes = within("bytes");
    await provisionVod(bytes, "one").catch((thrown: { code?: string }) => {
      assert.equal(thrown.code, "QUOTA_BYTES");
    });
    assert.equal((await namespaces.get("bytes")).used.bytes, size);
    assert.deepEqual(await bytes.listDataFiles("one"), []);
    // The same content again takes nothing.
    await bytes.registerFunction(vodFunction("two"));
    await bytes.uploadProgram("two", PROGRAM, PROGRAM_BYTES);
    await bytes.deleteFile("one", "program", PROGRAM);
    assert.equal((await namespaces.get("bytes")).used.bytes, size);
    await bytes.deleteFunction("two");
    await bytes.deleteFunction("one");
    assert.equal((await namespaces.get("bytes")).used.bytes, 0);
    await namespaces.delete("bytes");
  });

  it("refuses what is announced to be over the quota before it is sent", async () => {
    await namespaces.create({ name: "early", quotas: { bytes: 5 } });
    await within("early").registerFunction(vodFunction());
    const base = namespaceUrl(world.ccfaasUrl, "early");
    const name = Buffer.from(PROGRAM).toString("base64");
    const url = `${base}/function/vod_small/program/${name}`;
    // Not the bytes that the definition names: refused for their number, before anybody looks at them.
    const answer = await call("POST", url, { body: new Uint8Array(PROGRAM_BYTES.length) });
    isProblem(answer, 507, "QUOTA_BYTES");
    await within("early").deleteFunction("vod_small");
    await namespaces.delete("early");
  });
});

describe("namespaces and roles", { concurrency: false }, () => {
  const TOKENS = { root: "token-root", local: "token-local", reader: "token-reader" };
  let world: World;

  before(async () => {
    world = await makeWorld();
    mkdirSync(world.directory, { recursive: true });
    const digest = (token: string): string => createHash("sha256").update(token).digest("hex");
    const principals = [
      { name: "root", roles: ["admin", "reader"], token_sha256: digest(TOKENS.root) },
      {
        name: "local",
        namespaces: { default: ["admin", "reader"], team: ["admin", "reader"] },
        token_sha256: digest(TOKENS.local),
      },
      { name: "reader", namespaces: { team: ["reader"] }, token_sha256: digest(TOKENS.reader) },
    ];
    writeFileSync(join(world.directory, "principals.json"), JSON.stringify({ principals }));
    Object.assign(world.config, {
      local_development: false,
      access: { principals_file: "principals.json", tls_ends_elsewhere: true },
    });
    await world.start();
  });
  after(() => world?.close());

  const as = (who: keyof typeof TOKENS, base: string): NamespaceClient =>
    new NamespaceClient(
      fetchTransport(base, { headers: { authorization: `Bearer ${TOKENS[who]}` } }),
    );

  it("are made and seen by those who have their roles everywhere", async () => {
    const denied = { code: "ACCESS_DENIED" };
    const { ccfaasUrl: url } = world;
    await as("root", url).create({ name: "team" });
    for (const who of ["local", "reader"] as const) {
      for (const base of [url, namespaceUrl(url, "team")]) {
        await assert.rejects(as(who, base).create({ name: "mine" }), denied);
        await assert.rejects(as(who, base).put("mine", {}), denied);
        await assert.rejects(as(who, base).change("team", { functions: null }), denied);
        await assert.rejects(as(who, base).delete("team"), denied);
        await assert.rejects(as(who, base).list(), denied);
        await assert.rejects(as(who, base).get("team"), denied);
        assert.equal((await as(who, namespaceUrl(url, "team")).own()).name, "team");
      }
    }
    await assert.rejects(as("reader", url).own(), denied);
  });

  it("are not told from ones that do not exist, save to those who may know", async () => {
    const { ccfaasUrl: url } = world;
    await assert.rejects(as("reader", namespaceUrl(url, "nobody")).own(), {
      code: "ACCESS_DENIED",
    });
    await assert.rejects(as("root", namespaceUrl(url, "nobody")).own(), {
      code: "NAMESPACE_UNKNOWN",
    });
    for (const name of ["team", "nobody"]) {
      const base = namespaceUrl(url, name);
      isProblem(await call("GET", `${base}/function`), 401, "ACCESS_UNKNOWN");
      isProblem(await call("PATCH", `${base}/function`), 405, "METHOD_NOT_ALLOWED");
      isProblem(await call("GET", `${base}/nothing`), 401, "ACCESS_UNKNOWN");
      assert.equal((await call("GET", `${base}/healthz`)).status, 200);
    }
  });
});
