// Versions of functions: published without anybody noticing before they are complete, chosen by number, digest or alias,
// rolled back, and removed once nobody needs them.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type {
  ControlEvents,
  DraftResource,
  FunctionBody,
  ServiceRefusal,
} from "@holdfast/contract";
import { call, isJson, isProblem, nameOf } from "../testing/call.ts";
import {
  bytesOf,
  FILES,
  newIdentities,
  PROGRAM,
  provisionVod,
  sha256,
  userPolicy,
  vodFunction,
} from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const NAME = "vod_small";
const NEW_PROGRAM = bytesOf("\0asm stands in for a better detector");
const PROGRAM_BYTES = FILES[PROGRAM] ?? new Uint8Array();

/** The function with another program. */
function better(): FunctionBody {
  const body = vodFunction();
  const [program] = body.programs;
  if (program === undefined) throw new Error("it has a program");
  return { ...body, programs: [{ ...program, pi_hash: sha256(NEW_PROGRAM) }] };
}

describe("versions of functions", { concurrency: false }, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld({ keepPorts: 4 });
    await world.start();
    identities = await newIdentities();
  });
  after(() => world?.close());
  afterEach(async () => {
    const { ccfaas } = world;
    for (const { id } of await ccfaas.describeInstances()) await ccfaas.deleteInstance(id);
    for (const name of await ccfaas.listFunctions()) await ccfaas.deleteFunction(name);
    assert.deepEqual(await world.store().blobs.list(), []);
  });

  const publishBetter = async (): Promise<void> => {
    await world.ccfaas.putDraft(NAME, better());
    await world.ccfaas.uploadDraftFile(NAME, PROGRAM, NEW_PROGRAM);
  };
  const published = { state: "published", version: 2 };
  const versions = async (): Promise<number[]> =>
    (await world.ccfaas.listVersions(NAME)).map(({ version }) => version);

  it("begin when a function has all of its files", async () => {
    const { ccfaas } = world;
    await ccfaas.registerFunction(vodFunction());
    assert.deepEqual(await ccfaas.listVersions(NAME), []);
    assert.equal((await ccfaas.describeFunction(NAME)).version, undefined);
    await ccfaas.deleteFunction(NAME);
    await provisionVod(ccfaas);
    const [first] = await ccfaas.listVersions(NAME);
    assert.match(first?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
    const size = Object.values(FILES).reduce((sum, { length }) => sum + length, 0);
    assert.deepEqual(
      { ...first, digest: "", created_at: "" },
      { version: 1, digest: "", current: true, aliases: [], bytes: size, created_at: "" },
    );
    assert.equal((await ccfaas.describeFunction(NAME)).version, 1);
  });

  it("are published without a moment in which the function is not whole", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const draft = await ccfaas.putDraft(NAME, better());
    assert.equal(draft.state, "draft");
    assert.deepEqual(draft.missing, [PROGRAM]);
    assert.equal((await ccfaas.describeFunction(NAME)).has_draft, true);
    // Until the last file is there everything is as before, the original routes included.
    assert.deepEqual(await ccfaas.getFunction(NAME), vodFunction());
    const old = await ccfaas.startInstance(userPolicy(identities, { instanceid: "old" }));
    assert.equal(old.version, 1);
    const published = await ccfaas.uploadDraftFile(NAME, PROGRAM, NEW_PROGRAM);
    assert.equal(`${published.state} ${published.version}`, "published 2");
    assert.deepEqual(published.missing, []);
    assert.deepEqual(await ccfaas.getFunction(NAME), better());
    const made = await ccfaas.createInstance(userPolicy(identities, { instanceid: "new" }));
    assert.match(made.policy, new RegExp(sha256(NEW_PROGRAM)));
    assert.equal((await ccfaas.describeInstance("new")).version, 2);
    assert.equal((await ccfaas.describeInstance("old")).state, "ready");
    await assert.rejects(ccfaas.getDraft(NAME), { code: "DRAFT_NOT_FOUND" });
  });

  it("are chosen by number, digest and alias, under /v1 alone", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await publishBetter();
    const [first] = await ccfaas.listVersions(NAME);
    await ccfaas.setAlias(NAME, "stable", 1);
    const choices = [
      { function: `${NAME}@1` },
      { function: `${NAME}@${first?.digest}` },
      { function: `${NAME}@stable` },
      { version: 1 },
      { version: "stable" },
      { version: first?.digest ?? "" },
    ];
    for (const choice of choices) {
      const body = { ...userPolicy(identities, { instanceid: "0" }), ...choice };
      const made = await ccfaas.startInstance(body);
      assert.equal(`${made.function} ${made.version}`, `${NAME} 1`, JSON.stringify(choice));
      assert.match(await ccfaas.instancePolicy("0"), new RegExp(sha256(PROGRAM_BYTES)));
      await ccfaas.deleteInstance("0");
    }
    const original = ccfaas.createInstance(userPolicy(identities, { function: `${NAME}@1` }));
    await assert.rejects(original, { code: "FUNCTION_NOT_FOUND" });
    for (const name of [`${NAME}@3`, `${NAME}@nobody`, `${NAME}@`, `${NAME}@99999999999999`]) {
      const asked = ccfaas.startInstance(userPolicy(identities, { function: name }));
      await assert.rejects(asked, { code: "VERSION_NOT_FOUND" }, name);
    }
  });

  it("don't hide a function that is really called so", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await provisionVod(ccfaas, `${NAME}@1`);
    const made = await ccfaas.startInstance(userPolicy(identities, { function: `${NAME}@1` }));
    assert.equal(made.function, `${NAME}@1`);
  });

  it("are the same instance for the same key, although the alias moved meanwhile", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await publishBetter();
    await ccfaas.setAlias(NAME, "stable", 1);
    const body = userPolicy(identities, { function: `${NAME}@stable` });
    await ccfaas.startInstance(body, { idempotencyKey: "moved" });
    await ccfaas.setAlias(NAME, "stable", 2);
    const again = await ccfaas.startInstance(body, { idempotencyKey: "moved" });
    assert.equal(again.version, 1);
  });

  it("are content: the same again is the same version, and an old one comes back", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await publishBetter();
    const detail = await ccfaas.getVersion(NAME, 1);
    assert.deepEqual(detail.definition, vodFunction());
    assert.equal(
      detail.files.every(({ stored }) => stored),
      true,
    );
    const back = await ccfaas.putDraft(NAME, detail.definition);
    assert.equal(`${back.state} ${back.version}`, "published 1");
    assert.deepEqual(await ccfaas.getFunction(NAME), vodFunction());
    assert.deepEqual(await versions(), [1, 2]);
    assert.equal((await ccfaas.putDraft(NAME, better())).version, 2);
  });

  it("take over files that the function has, and nothing of other functions", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await ccfaas.registerFunction(vodFunction("other"));
    const other = await ccfaas.putDraft("other", { ...vodFunction("other"), debug: false });
    assert.equal(other.missing.length, 4);
    const renamed = vodFunction();
    const [first] = renamed.data_files ?? [];
    const moved = { ...renamed, data_files: [{ ...first, data_file: "/elsewhere" }] };
    const draft = await ccfaas.putDraft(NAME, moved as FunctionBody);
    assert.equal(`${draft.state} ${draft.version}`, "published 2");
  });

  it("go on with an upload that was begun, and refuse wrong bytes", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await ccfaas.putDraft(NAME, better());
    const wrong = ccfaas.uploadDraftFile(NAME, PROGRAM, PROGRAM_BYTES);
    await assert.rejects(wrong, { code: "FILE_HASH_MISMATCH" });
    const elsewhere = ccfaas.uploadDraftFile(NAME, "/nowhere", NEW_PROGRAM);
    await assert.rejects(elsewhere, { code: "FILE_NOT_IN_FUNCTION" });
    assert.deepEqual((await ccfaas.putDraft(NAME, better())).missing, [PROGRAM]);
    const stored = ccfaas.uploadDraftFile(NAME, "/program_data/coco.names", bytesOf("x"));
    await assert.rejects(stored, { code: "FILE_EXISTS" });
    const another = ccfaas.putDraft(NAME, vodFunction("other"));
    await assert.rejects(another, { code: "NAME_INVALID" });
    const unknown = ccfaas.putDraft("nobody", vodFunction("nobody"));
    await assert.rejects(unknown, { code: "FUNCTION_NOT_FOUND" });
  });

  it("answer the last upload again when its answer was lost, and refuse other bytes", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const begun = await ccfaas.putDraft(NAME, better());
    const file = `${world.ccfaasUrl}/v1/functions/${NAME}/draft/files/${nameOf(PROGRAM)}`;
    const put = (bytes: Uint8Array) =>
      call("PUT", file, { body: bytes, headers: { "idempotency-key": "last" } });
    const answers = [await put(NEW_PROGRAM), await put(NEW_PROGRAM)];
    for (const { status, text } of answers) {
      assert.equal(status, 200);
      const { state, version, digest } = JSON.parse(text) as DraftResource;
      assert.deepEqual({ state, version, digest }, { ...published, digest: begun.digest });
    }
    assert.deepEqual(await ccfaas.uploadDraftFile(NAME, PROGRAM, NEW_PROGRAM), {
      ...begun,
      ...published,
      missing: [],
      files: (await ccfaas.describeFunction(NAME)).files,
    });
    isProblem(await put(PROGRAM_BYTES), 404, "DRAFT_NOT_FOUND");
    isProblem(await put(new Uint8Array(NEW_PROGRAM.length)), 404, "DRAFT_NOT_FOUND");
    const nowhere = ccfaas.uploadDraftFile(NAME, "/nowhere", NEW_PROGRAM);
    await assert.rejects(nowhere, { code: "DRAFT_NOT_FOUND" });
    // What is there is not asked for anywhere, let alone at a source that is not allowed.
    const source = "https://example.org/detector.wasm";
    const fetched = await ccfaas.fetchDraftFile(NAME, { path: PROGRAM, source });
    assert.deepEqual([fetched.state, fetched.version], ["published", 2]);
    assert.deepEqual(await versions(), [1, 2]);
  });

  it("take the same file of a draft twice, one after the other and at once", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const body = better();
    const more = { data_file: "/more", pi_hash: sha256(bytesOf("more")) };
    await ccfaas.putDraft(NAME, { ...body, data_files: [...(body.data_files ?? []), more] });
    for (let time = 0; time < 2; time += 1) {
      const draft = await ccfaas.uploadDraftFile(NAME, PROGRAM, NEW_PROGRAM);
      assert.deepEqual([draft.state, draft.missing], ["draft", ["/more"]]);
    }
    const other = ccfaas.uploadDraftFile(NAME, PROGRAM, PROGRAM_BYTES);
    await assert.rejects(other, { code: "FILE_EXISTS" });
    const last = () => ccfaas.uploadDraftFile(NAME, "/more", bytesOf("more"));
    const made = await Promise.all([last(), last(), last()]);
    assert.deepEqual(
      made.map(({ state, version }) => ({ state, version })),
      Array.from({ length: 3 }, () => published),
    );
    assert.deepEqual(await versions(), [1, 2]);
  });

  it("leave nothing of a draft that was given up", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const body = better();
    await ccfaas.putDraft(NAME, {
      ...body,
      data_files: [...(body.data_files ?? []), { data_file: "/more", pi_hash: "ab".repeat(32) }],
    });
    await ccfaas.uploadDraftFile(NAME, PROGRAM, NEW_PROGRAM);
    assert.ok((await world.store().blobs.list()).includes(sha256(NEW_PROGRAM)));
    await ccfaas.deleteDraft(NAME);
    assert.equal((await world.store().blobs.list()).includes(sha256(NEW_PROGRAM)), false);
    await assert.rejects(ccfaas.deleteDraft(NAME), { code: "DRAFT_NOT_FOUND" });
    assert.deepEqual(await versions(), [1]);
  });

  it("keep their bytes until they are removed", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await publishBetter();
    const { blobs } = world.store();
    assert.ok((await blobs.list()).includes(sha256(PROGRAM_BYTES)));
    await ccfaas.deleteVersion(NAME, 1);
    assert.equal((await blobs.list()).includes(sha256(PROGRAM_BYTES)), false);
    assert.deepEqual(await versions(), [2]);
    await assert.rejects(ccfaas.getVersion(NAME, 1), { code: "VERSION_NOT_FOUND" });
    await assert.rejects(ccfaas.deleteVersion(NAME, 1), { code: "VERSION_NOT_FOUND" });
  });

  it("stay while the name, an alias or a living instance needs them", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const needed = (by: RegExp) => (thrown: ServiceRefusal) =>
      thrown.code === "VERSION_IN_USE" && thrown.status === 409 && by.test(thrown.message);
    await assert.rejects(ccfaas.deleteVersion(NAME, 1), needed(/the function's name alone/));
    await publishBetter();
    await ccfaas.setAlias(NAME, "stable", 1);
    await ccfaas.startInstance({ ...userPolicy(identities), version: 1 });
    await assert.rejects(ccfaas.deleteVersion(NAME, 1), needed(/alias stable, instance 0$/));
    await ccfaas.deleteAlias(NAME, "stable");
    await assert.rejects(ccfaas.deleteVersion(NAME, 1), needed(/by instance 0$/));
    await ccfaas.deleteInstance("0");
    await ccfaas.deleteVersion(NAME, 1);
  });

  it("are not what the original routes change", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await assert.rejects(ccfaas.registerFunction(better()), { code: "FUNCTION_EXISTS" });
    await ccfaas.deleteFile(NAME, "program", PROGRAM);
    assert.equal((await ccfaas.describeFunction(NAME)).state, "incomplete");
    const made = await ccfaas.startInstance({ ...userPolicy(identities), version: 1 });
    assert.equal(made.state, "ready");
    await ccfaas.uploadProgram(NAME, PROGRAM, PROGRAM_BYTES);
    assert.equal((await ccfaas.describeFunction(NAME)).version, 1);
    assert.deepEqual(await versions(), [1]);
  });

  it("have aliases that are switched, read and removed", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    await publishBetter();
    await ccfaas.setAlias(NAME, "stable", 1);
    const set = await ccfaas.setAlias(NAME, "stable", 2);
    assert.equal(set.version, 2);
    assert.deepEqual(await ccfaas.getAlias(NAME, "stable"), set);
    assert.deepEqual(await ccfaas.listAliases(NAME), [set]);
    const [first, second] = await ccfaas.listVersions(NAME);
    assert.deepEqual([first?.aliases, second?.aliases], [[], ["stable"]]);
    await ccfaas.setAlias(NAME, "canary", "stable");
    for (const alias of ["1", "Stable", "sha256:", "a_b", "", "-a"]) {
      const url = `${world.ccfaasUrl}/v1/functions/${NAME}/aliases/${encodeURIComponent(alias)}`;
      isProblem(await call("PUT", url, { json: { version: 1 } }), 400, "NAME_INVALID");
    }
    await assert.rejects(ccfaas.setAlias(NAME, "a", 3), { code: "VERSION_NOT_FOUND" });
    await assert.rejects(ccfaas.getAlias(NAME, "nobody"), { code: "ALIAS_NOT_FOUND" });
    await assert.rejects(ccfaas.deleteAlias(NAME, "nobody"), { code: "ALIAS_NOT_FOUND" });
  });

  it("come in pages, in order of numbers", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    for (let mib = 1; mib <= 10; mib += 1) {
      const { definition } = await ccfaas.getVersion(NAME, 1);
      await ccfaas.putDraft(NAME, { ...definition, max_memory_mib: mib });
    }
    const url = `${world.ccfaasUrl}/v1/functions/${NAME}/versions`;
    const seen: number[] = [];
    for (let after = ""; ; ) {
      const { text } = await call("GET", `${url}?limit=4${after}`);
      const page = JSON.parse(text) as { versions: { version: number }[]; next?: string };
      seen.push(...page.versions.map(({ version }) => version));
      if (page.next === undefined) break;
      after = `&after=${page.next}`;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 11 }, (_, index) => index + 1),
    );
  });

  it("tell in events what became of them", async () => {
    const { ccfaas } = world;
    const last = await world.store().events.last("default");
    await provisionVod(ccfaas);
    await publishBetter();
    await ccfaas.setAlias(NAME, "stable", 2);
    await ccfaas.deleteAlias(NAME, "stable");
    await ccfaas.deleteVersion(NAME, 1);
    const { text } = await call("GET", `${world.ccfaasUrl}/v1/events?after=${last}`);
    const { events } = JSON.parse(text) as ControlEvents;
    assert.deepEqual(
      events.map(({ state, reason }) => `${state} ${reason ?? ""}`),
      [
        "defined ",
        "provisioned version 1",
        "provisioned version 2",
        "alias-set stable is version 2",
        "alias-removed stable",
        "version-removed version 1",
      ],
    );
  });

  it("answer to a file that comes too late that the draft is gone", async () => {
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const url = `${world.ccfaasUrl}/v1/functions/${NAME}/draft/files/${nameOf(PROGRAM)}`;
    isProblem(await call("PUT", url, { body: NEW_PROGRAM.slice() }), 404, "DRAFT_NOT_FOUND");
    isJson(await call("GET", `${world.ccfaasUrl}/v1/functions/${NAME}/aliases`), { aliases: [] });
  });
});
