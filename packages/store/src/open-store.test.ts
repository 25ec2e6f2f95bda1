// The contract on SQLite.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { openStore } from "./open-store.ts";
import { sqliteEngine } from "./sql/engine.ts";
import { migrationContract } from "./testing/migration-contract.ts";
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
