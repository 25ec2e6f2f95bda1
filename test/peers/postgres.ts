// PostgreSQL from Debian's packages, in a directory and on a port of its own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, skipWithout } from "./peer.ts";

/** A running PostgreSQL. */
export interface Postgres {
  /** Makes an empty database and answers its URL. */
  newDatabase(): string;
  close(): Promise<void>;
}

const VERSIONS = "/usr/lib/postgresql";
const TRIES = 600;

/** Why tests with PostgreSQL are skipped; false when they run. */
export function skipWithoutPostgres(): string | false {
  return skipWithout("PostgreSQL", [program("initdb"), program("postgres"), program("psql")]);
}

/** Starts PostgreSQL. Durability is off: what is tested is our use of it. */
export async function startPostgres(): Promise<Postgres> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-postgres-"));
  const owner = ownerOf(directory);
  const data = join(directory, "data");
  const [initdb, postgres] = [program("initdb") ?? "", program("postgres") ?? ""];
  const made = spawnSync(
    initdb,
    ["-D", data, "-U", "holdfast", "-A", "trust", "-E", "UTF8", "-N"],
    {
      ...owner,
      cwd: directory,
      encoding: "utf8",
    },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  const args = ["-D", data, "-p", String(port), "-k", directory, "-h", "127.0.0.1", "-F"];
  const server = spawn(postgres, args, { ...owner, cwd: directory, stdio: "ignore" });
  const base = `postgres://holdfast@127.0.0.1:${port}`;
  const ask = (sql: string): number | null =>
    spawnSync(program("psql") ?? "", ["-q", "-c", sql, `${base}/postgres`], { stdio: "ignore" })
      .status;
  for (let tries = 0; ask("select 1") !== 0; tries += 1) {
    if (server.exitCode !== null || tries > TRIES) throw new Error("PostgreSQL did not start");
    await sleep(50);
  }
  let databases = 0;
  return {
    newDatabase() {
      databases += 1;
      const name = `test${databases}`;
      if (ask(`create database ${name}`) !== 0) throw new Error("no database could be made");
      return `${base}/${name}`;
    },
    async close() {
      const exited = once(server, "exit");
      // Immediate: connections that a killed process left open are not waited for.
      server.kill("SIGQUIT");
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root. */
function ownerOf(directory: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number =>
    Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  const owner = { uid: idOf("-u"), gid: idOf("-g") };
  chownSync(directory, owner.uid, owner.gid);
  return owner;
}

function program(name: string): string | undefined {
  try {
    const directories = readdirSync(VERSIONS).sort().reverse();
    return findProgram(
      name,
      directories.map((version) => join(VERSIONS, version, "bin")),
    );
  } catch {
    return findProgram(name);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
