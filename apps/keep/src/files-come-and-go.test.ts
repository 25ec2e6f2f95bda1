// A keep's memory over many files that come and go. The margin is wide, for a keep collects what was let go only when it
// is much: what is looked for is memory that never comes back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { KeepConnection } from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { readBody, toText } from "@holdfast/core";
import { startPlatform, startRealKeep } from "./testing/real-platform.ts";
import { READ, WRITE } from "./testing/test-policy.ts";

const MIB = 1024 * 1024;
const FILE = new Uint8Array(8 * MIB).fill(7);
/** Each lets 16 MiB go. */
const ROUNDS = 50;
const MARGIN = 400 * MIB;
const PATIENCE_MS = 20_000;
const isLinux = process.platform === "linux";

let platform: Awaited<ReturnType<typeof startPlatform>>;
before(async () => {
  if (isLinux) platform = await startPlatform();
});
after(() => platform?.close());

test("memory does not grow with files that come and go", {
  timeout: 120_000,
  skip: isLinux ? false : "memory of a process is read from /proc",
}, async () => {
  const keep = await startRealKeep(platform, {
    rights: [{ "/in/": READ | WRITE }],
    maxMemoryMib: 64,
  });
  const { keep_pid: pid = 0 } = await keep.reaches("serving");
  const connection = await keep.connection();
  for (let round = 0; round < 10; round += 1) await comeAndGo(connection);
  const settled = memoryOf(pid);
  for (let round = 0; round < ROUNDS; round += 1) await comeAndGo(connection);
  const end = Date.now() + PATIENCE_MS;
  let grown = memoryOf(pid) - settled;
  while (grown > MARGIN && Date.now() < end) {
    await pause(200);
    grown = memoryOf(pid) - settled;
  }
  assert.ok(grown <= MARGIN, `${Math.round(grown / MIB)} MiB more after ${ROUNDS} rounds`);
  connection.close();
});

/** A file written over and emptied, an append, and an upload that is given up halfway. */
async function comeAndGo(connection: KeepConnection): Promise<void> {
  const client = new KeepClient(connection);
  await client.putFile("/in/file", FILE);
  await client.appendFile("/in/file", FILE.subarray(0, MIB));
  await client.putFile("/in/file", new Uint8Array());
  const query = { path: "/in/upload" };
  const { body } = await connection.request({ method: "POST", path: "/v1/uploads", query });
  const { id } = JSON.parse(toText((await readBody(body, MIB)) ?? new Uint8Array())) as {
    id: string;
  };
  const path = `/v1/uploads/${id}`;
  const part = await connection.request({
    method: "PATCH",
    path,
    headers: {
      "content-type": "application/partial-upload",
      "upload-offset": "0",
      "upload-complete": "?0",
    },
    body: FILE.subarray(0, 7 * MIB),
  });
  assert.equal(part.status, 204);
  assert.equal((await connection.request({ method: "DELETE", path })).status, 204);
}

/** Resident bytes of a process. */
function memoryOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  assert.ok(match);
  return Number(match[1]) * 1024;
}
