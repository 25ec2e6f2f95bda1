// A process that runs programs for long keeps its memory: what files held that are replaced or removed comes back.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const PROGRAM = join(import.meta.dirname, "../testing/many-runs.ts");

async function peakMib(kind: string, count: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, kind, String(count)], {
    timeout: 60_000,
  });
  const { peakMib: peak } = JSON.parse(stdout) as { peakMib: number };
  return peak;
}

describe("memory of a process whose one thread does run after run", { concurrency: false }, () => {
  // Without collecting, these take 1,100, 850 and 1,300 MiB.
  it("does not grow with files that were replaced", async () => {
    const peak = await peakMib("files", 60);
    assert.ok(peak < 700, `${peak} MiB`);
  });

  it("does not grow with files that a run made and removed", async () => {
    const peak = await peakMib("churn", 900);
    assert.ok(peak < 500, `${peak} MiB`);
  });

  it("does not grow with the memories of guests", async () => {
    const peak = await peakMib("memory", 40);
    assert.ok(peak < 700, `${peak} MiB`);
  });
});
