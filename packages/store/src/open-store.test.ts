// The contract on SQLite.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openStore } from "./open-store.ts";
import { sqliteEngine } from "./sql/engine.ts";
import { migrationContract } from "./testing/migration-contract.ts";
import { bytes, digestOf } from "./testing/records.ts";
import { storeContract } from "./testing/store-contract.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-store-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const options = {
  open: () => openStore({ directory }),
  clear: async () => {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
  },
};
storeContract("SQLite", options);
migrationContract("SQLite", async () => sqliteEngine(join(directory, "holdfast.db")), options);

test("a process that opens the store takes nothing from one that is storing a file", async () => {
  await options.clear();
  const store = await options.open();
  const openAnother = async (): Promise<void> => (await options.open()).close();
  const slow = async function* (): AsyncGenerator<Uint8Array> {
    yield* bytes("file");
    await openAnother();
  };
  const expected = { maximumBytes: 4, sha256: digestOf("file") };
  await store.blobs.put(slow(), expected, async () => {
    await openAnother();
    assert.equal(await store.blobs.collect(), 0);
  });
  assert.equal(await store.blobs.has(expected.sha256), true);
  await store.close();
});
