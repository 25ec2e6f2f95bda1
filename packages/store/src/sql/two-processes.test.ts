// Two processes on one SQLite file, as VaaS and CCFaaS are when each is served by itself: both make the schema, and then
// write at once. Who reads before he writes must not find that the other was faster.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const WRITER = `
import { openStore } from ${JSON.stringify(join(import.meta.dirname, "../open-store.ts"))};
import { createHash } from "node:crypto";
const store = await openStore({ directory: process.argv[1] });
for (let turn = 0; turn < 40; turn += 1) {
  const bytes = Buffer.from(process.argv[2] + " " + turn);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await store.blobs.put([bytes], { maximumBytes: 100, sha256 }, async () => undefined);
}
await store.close();
`;

test("two processes write to one database at once", { timeout: 120_000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-two-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const write = async (name: string): Promise<string> => {
    const args = ["--input-type=module", "--eval", WRITER, directory, name];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [code] = await once(child, "close");
    return code === 0 ? "" : `${name}: ${code} ${said}`;
  };
  assert.deepEqual(await Promise.all(["vaas", "ccfaas"].map(write)), ["", ""]);
});
