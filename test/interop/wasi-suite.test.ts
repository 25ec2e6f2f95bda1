// The public WASI suite, where it was fetched: both generations of its Preview 1 tests. The command line runs in this
// process here, which takes a tenth of the time; wasi-suite.ts itself starts one for each test.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { describe, it } from "node:test";
import { run } from "../../apps/cli/src/testing/run.ts";
import { runCase, suiteCases } from "./wasi-suite.ts";

const PLACES = ["../../../wasi-testsuite", "../../../wasi-testsuite-all"];

for (const place of PLACES) {
  const suite = resolve(import.meta.dirname, place);
  const skip = existsSync(suite)
    ? false
    : `${basename(place)} was not fetched beside the repository`;
  describe(`the public WASI suite in ${basename(place)}`, { skip }, () => {
    const cases = existsSync(suite) ? suiteCases(suite) : [];
    it("has all of its 72 tests", () => assert.equal(cases.length, 72));
    for (const test of cases) {
      it(basename(test.module), async () => {
        assert.equal(await runCase(test, (words) => run([...words])), undefined);
      });
    }
  });
}
