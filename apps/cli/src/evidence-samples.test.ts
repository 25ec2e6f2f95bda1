// `holdfast evidence` over every sample with a known result: claims, security version, advisories, and what refuses. The
// page about it says what was answered here.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { answerCase, type EvidenceAnswer } from "./testing/evidence-answers.ts";
import { type EvidenceCase, WITH_SAMPLES } from "./testing/evidence-cases.ts";
import { evidenceCases } from "./testing/evidence-index.ts";
import { EVIDENCE_PAGE, evidencePage } from "./testing/evidence-page.ts";

const EXIT_OF: Readonly<Record<string, number>> = { affirmed: 0, refused: 1, "not-judged": 3 };
const { cases, passedOver } = evidenceCases();
const answers: EvidenceAnswer[] = [];

suite("every sample of the index", WITH_SAMPLES, () => {
  for (const [index, each] of cases.entries()) {
    test(`${each.id} (${index}): ${each.verb} ${each.verdict ?? ""}`, async () => {
      const answer = await answerCase(each);
      answers.push(answer);
      holds(each, answer);
    });
  }
  for (const { id, why } of passedOver) test(id, { skip: why }, () => undefined);

  test("the page about them says the same; else: node tools/evidence-page.ts", () => {
    assert.equal(readFileSync(EVIDENCE_PAGE, "utf8"), evidencePage(answers, passedOver));
  });
});

function holds(each: EvidenceCase, answer: EvidenceAnswer): void {
  if (each.verb === "show") {
    assert.equal(answer.code, 0);
    assert.equal(answer.type, "endorsement");
    return;
  }
  const failed = answer.checks.filter(({ outcome }) => outcome === "failed");
  assert.equal(answer.verdict, each.verdict, JSON.stringify(failed));
  assert.equal(answer.code, EXIT_OF[answer.verdict]);
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
