// `holdfast evidence` over every sample with a known result: claims, security version, advisories, and what refuses.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type EvidenceCase, WITH_SAMPLES } from "./testing/evidence-cases.ts";
import { evidenceCases } from "./testing/evidence-index.ts";
import { runJson } from "./testing/run.ts";

interface Answer {
  readonly verdict: string;
  readonly debug: boolean | null;
  readonly tcbStatus: string | null;
  readonly advisoryIds: readonly string[];
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly checks: readonly { id: string; outcome: string; reason: string }[];
}

const EXIT_OF: Readonly<Record<string, number>> = { affirmed: 0, refused: 1, "not-judged": 3 };
const { cases, passedOver } = evidenceCases();

suite("every sample of the index", WITH_SAMPLES, () => {
  for (const [index, each] of cases.entries()) {
    test(`${each.id} (${index}): ${each.verb} ${each.verdict ?? ""}`, () => holds(each));
  }
  for (const { id, why } of passedOver) test(id, { skip: why }, () => undefined);
});

async function holds(each: EvidenceCase): Promise<void> {
  const { code, value } = await runJson(["evidence", each.verb, ...each.argv]);
  if (each.verb === "show") {
    assert.equal(code, 0, JSON.stringify(value));
    assert.equal(value["type"], "endorsement");
    return;
  }
  const answer = value as unknown as Answer;
  const failed = answer.checks.filter(({ outcome }) => outcome === "failed");
  assert.equal(answer.verdict, each.verdict, JSON.stringify(failed));
  assert.equal(code, EXIT_OF[answer.verdict]);
  if (each.failed !== undefined) {
    assert.deepEqual(
      failed.map(({ id }) => id),
      each.failed,
    );
  }
  for (const [name, wanted] of Object.entries(each.claims ?? {})) {
    assert.deepEqual(answer.claims?.[name], wanted, name);
  }
  if (each.tcbStatus !== undefined) assert.equal(answer.tcbStatus, each.tcbStatus);
  if (each.advisoryIds !== undefined) assert.deepEqual(answer.advisoryIds, each.advisoryIds);
  if (each.debug !== undefined) assert.equal(answer.debug, each.debug);
  for (const check of answer.checks) {
    assert.deepEqual(Object.keys(check), ["id", "outcome", "reason"]);
  }
}
