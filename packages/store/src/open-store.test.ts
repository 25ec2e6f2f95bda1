// The contract on SQLite.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { openStore } from "./open-store.ts";
import { storeContract } from "./testing/store-contract.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-store-"));
after(() => rmSync(directory, { recursive: true, force: true }));

storeContract("SQLite", {
  open: () => openStore({ directory }),
  clear: async () => rmSync(directory, { recursive: true, force: true }),
});
