// A verifier that others wrote, over the same quotes: where it differs from ours, we know why, and ours is the stricter.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defectOpinions,
  explain,
  type Opinion,
  realOpinions,
} from "../../bench/evidence/second-opinion.ts";

/** Quotes that ours gives a status and theirs refuses: all for components that belong to the TDX module. */
const REAL = "tdx-v4-azure, automata-00806f05-2025-07";
const MORE: ReadonlySet<string> = new Set([
  REAL,
  "module out of date",
  "module out of date, configuration needed",
  "module updated since the TD started",
]);

function expectExplained(opinions: readonly Opinion[]): void {
  for (const opinion of opinions.filter(({ agree }) => !agree)) {
    const { sample, ours, theirs } = opinion;
    assert.ok(explain(opinion), `${sample}: ours says ${ours}, theirs ${theirs}`);
    assert.equal(theirs.startsWith("refused"), MORE.has(sample), `${sample}: ${theirs}`);
  }
}

test("quotes with one defect: every disagreement is explained", async () => {
  const opinions = await defectOpinions();
  assert.ok(opinions.filter(({ agree }) => agree).length > 40, "most are agreed upon");
  expectExplained(opinions);
});

test("quotes of real platforms: every disagreement is explained", async (t) => {
  const opinions = await realOpinions();
  if (opinions.length === 0) return t.skip("no samples at ../shared/vectors/evidence");
  expectExplained(opinions);
  assert.deepEqual(
    opinions.filter(({ agree }) => !agree).map(({ sample }) => sample),
    [REAL],
  );
});
