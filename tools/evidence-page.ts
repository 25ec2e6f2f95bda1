// Writes the tables of docs/reference/evidence.md: runs `holdfast evidence` over every sample beside the project. The tests
// run the same and fail when the page says something else. Usage: node tools/evidence-page.ts
import { answerCase } from "../apps/cli/src/testing/evidence-answers.ts";
import { WITH_SAMPLES } from "../apps/cli/src/testing/evidence-cases.ts";
import { evidenceCases } from "../apps/cli/src/testing/evidence-index.ts";
import { evidencePage, writeEvidencePage } from "../apps/cli/src/testing/evidence-page.ts";

if (WITH_SAMPLES.skip !== false) {
  console.error(WITH_SAMPLES.skip);
  process.exit(1);
}
const { cases, passedOver } = evidenceCases();
const answers = [];
for (const each of cases) answers.push(await answerCase(each));
writeEvidencePage(evidencePage(answers, passedOver));
console.log(`docs/reference/evidence.md: ${answers.length} command lines`);
