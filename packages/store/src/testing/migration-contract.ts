// The part of the contract about what earlier releases wrote: a database of theirs, opened, has everything it had.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kysely, sql } from "kysely";
import type { Engine } from "../sql/engine.ts";
import { migrate } from "../sql/migrations.ts";
import type { ContractOptions } from "./contract-options.ts";
import { AT, file, LATER, load, newInstance, newKeep, newRevision } from "./records.ts";

/** The newest step that the release before namespaces had. */
const BEFORE = "0005-events";
const DEFINITION = {
  function: "vod",
  programs: [{ program_file_name: "/a" }],
  data_files: [{ data_file: "/b" }],
};

/**
 * Runs the suite.
 * @param engine the very database that `options.open` opens
 */
export function migrationContract(
  name: string,
  engine: () => Promise<Engine>,
  options: ContractOptions,
): void {
  const suite = { skip: options.skip ?? false, concurrency: false };
  describe(`a database of an earlier release on ${name}`, suite, () => {
    it("is in the namespace default, with everything that was there", async () => {
      await options.clear();
      await writeOldRecords(await engine());
      const store = await options.open();
      try {
        const { functions, instances, keeps, events } = store;
        const complete = await functions.find("default", "complete");
        assert.equal(complete?.head.version, 1);
        assert.deepEqual(JSON.parse(complete?.head.definition ?? ""), DEFINITION);
        assert.match(complete?.head.digest ?? "", /^[0-9a-f]{64}$/);
        assert.deepEqual(await functions.files("f1"), [file("/a"), file("/b")]);
        const half = await functions.find("default", "half");
        assert.equal(half?.head.version, undefined);
        assert.equal(half?.idempotencyKey, "key-f2");
        assert.deepEqual(await functions.files("f2"), [file("/a")]);
        const ready = await instances.find("default", "0");
        assert.equal(`${ready?.key} ${ready?.state} ${ready?.keepHash}`, "k0 ready ab");
        assert.equal(`${ready?.revisionId} ${ready?.version}`, "f1 1");
        assert.deepEqual(
          (await instances.loads("k0")).map(({ path, loaded }) => `${path} ${loaded}`),
          ["/a true", "/b false"],
        );
        assert.equal((await keeps.find("keep"))?.port, 3014);
        assert.equal((await keeps.findByRequestKey("default", "request"))?.id, "keep");
        const seen = await events.list({ namespace: "default", after: 0, limit: 10 });
        assert.deepEqual(
          seen.map(({ state }) => state),
          ["defined", "requested"],
        );
        assert.equal(await events.last("default"), seen.at(-1)?.seq);
      } finally {
        await store.close();
      }
    });

    it("takes up new records where the old ones end", async () => {
      await options.clear();
      await writeOldRecords(await engine());
      const store = await options.open();
      try {
        const { functions, instances, keeps, events } = store;
        const last = await events.last("default");
        assert.equal(await functions.addFile("f2", file("/b"), LATER), "published");
        const [event] = await events.list({ namespace: "default", after: last, limit: 10 });
        assert.equal(`${event?.seq} ${event?.state}`, `${last + 1} provisioned`);
        const draft = newRevision("complete", ["/a"]);
        assert.equal((await functions.putDraft("f1", draft, LATER))?.version, 2);
        await assert.rejects(instances.create(newInstance("0")), { code: "STORE_CONFLICT" });
        await assert.rejects(keeps.create(newKeep(3014)), { code: "STORE_CONFLICT" });
        await functions.remove("default", "complete", LATER);
        assert.deepEqual(await functions.files("f1"), []);
      } finally {
        await store.close();
      }
    });

    it("is opened twice without harm", async () => {
      await options.clear();
      await writeOldRecords(await engine());
      await (await options.open()).close();
      const store = await options.open();
      assert.equal((await store.functions.listIn("default")).length, 2);
      await store.close();
    });
  });
}

/** Writes what the release before would have: its schema by its own steps, its rows as they were. */
async function writeOldRecords(engine: Engine): Promise<void> {
  const db = new Kysely<OldTables>({ dialect: engine.dialect });
  try {
    await migrate(db, engine.name, BEFORE);
    const definition = JSON.stringify(DEFINITION);
    for (const [id, name] of [
      ["f1", "complete"],
      ["f2", "half"],
    ] as const) {
      const idempotency_key = id === "f2" ? "key-f2" : null;
      await db
        .insertInto("functions")
        .values({ id, name, definition, created_at: AT, idempotency_key })
        .execute();
    }
    const files = [
      { function_id: "f1", ...file("/a") },
      { function_id: "f1", ...file("/b") },
      { function_id: "f2", ...file("/a") },
    ];
    await db
      .insertInto("files")
      .values(files.map((each) => ({ ...each, stored_at: AT })))
      .execute();
    await db
      .insertInto("instances")
      .values({
        key: "k0",
        id: "0",
        function_name: "complete",
        function_definition: definition,
        user_policy: "{}",
        state: "ready",
        request_key: "request",
        keep_hash: "ab",
        created_at: AT,
        updated_at: AT,
      })
      .execute();
    const loads = [load("/a", 0, 0), load("/b", 0, 1)];
    await db
      .insertInto("loads")
      .values(loads.map((each, loaded) => ({ ...each, instance_key: "k0", loaded: 1 - loaded })))
      .execute();
    await db
      .insertInto("keeps")
      .values({
        id: "keep",
        name: "server:3014",
        node: "node",
        host: "127.0.0.1",
        port: 3014,
        instance_hash: "ab",
        request_key: "request",
        request_hash: "cd",
        policy: "{}",
        state: "serving",
        max_memory_mib: 1,
        created_at: AT,
        updated_at: AT,
      })
      .execute();
    await sql`insert into events (at, kind, subject, state) values
      (${AT}, 'function', 'vod', 'defined'), (${AT}, 'instance', '0', 'requested')`.execute(db);
  } finally {
    await db.destroy();
  }
}

type OldTables = Record<
  "functions" | "files" | "instances" | "loads" | "keeps",
  Record<string, string | number | null>
>;
