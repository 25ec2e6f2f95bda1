// Every check of every type of evidence counts: taken out, something comes through; not performed, nothing is affirmed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isProven, type Proof, proveSuite, skippedYetAffirmed } from "./mutate-evidence.ts";

const { evidenceSuites } = await import("./evidence-suites.ts");

/** Checks that guard what others need, so that without them the verdict is open rather than affirmed. */
const GATES =
  /\.format$|path\.anchor$|^pck\.extension$|^(tcb-info|qe-identity)\.(supplied|signer)$|^tcb\.level$/;

for (const suite of await evidenceSuites()) {
  test(`${suite.type}: without any one check some defect comes through`, async () => {
    const proofs = await proveSuite(suite);
    assert.deepEqual(proofs.filter((proof) => !isProven(proof)).map(named), []);
    assert.deepEqual(
      proofs.filter(({ kind, check }) => kind === "gate" && !GATES.test(check)).map(named),
      [],
    );
  });

  test(`${suite.type}: what is in order is not affirmed when any check is not performed`, async () => {
    assert.deepEqual(await skippedYetAffirmed(suite), []);
  });
}

function named({ type, check }: Proof): string {
  return `${type}: ${check}`;
}
