// The store's contract on a real PostgreSQL.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { openStore } from "@holdfast/store";
import { postgresEngine } from "../../packages/store/src/sql/engine.ts";
import { migrationContract } from "../../packages/store/src/testing/migration-contract.ts";
import { storeContract } from "../../packages/store/src/testing/store-contract.ts";
import { type Postgres, skipWithoutPostgres, startPostgres } from "../peers/postgres.ts";

const skip = skipWithoutPostgres();
const directory = mkdtempSync(join(tmpdir(), "holdfast-store-"));
let postgres: Postgres | undefined;
let databaseUrl = "";

before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(async () => {
  await postgres?.close();
  rmSync(directory, { recursive: true, force: true });
});

const options = {
  skip,
  open: () => openStore({ directory, databaseUrl }),
  clear: async () => {
    rmSync(directory, { recursive: true, force: true });
    databaseUrl = postgres?.newDatabase() ?? "";
  },
};
storeContract("PostgreSQL", options);
migrationContract("PostgreSQL", () => postgresEngine(databaseUrl), options);
