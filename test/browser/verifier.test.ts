// The verifier in a real browser: it says of every kind of evidence, right and wrong, exactly what it says here.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { toBase64, toHex } from "@holdfast/core";
import { type Appraisal, NO_ENDORSEMENTS } from "@holdfast/evidence";
import {
  newIntelEvidence,
  newIntelWorld,
  newNitroDocument,
  newNitroWorld,
  newSnpEvidence,
  newSnpWorld,
} from "@holdfast/testkit";
import { WITH_SAMPLES } from "../../apps/cli/src/testing/evidence-cases.ts";
import { evidenceCases } from "../../apps/cli/src/testing/evidence-index.ts";
import { buildVerifier } from "../../tools/build-verifier.ts";
import { type Browser, type Page, skipWithoutChromium, startChromium } from "./chromium.ts";
import { type Job, jobOfRequest, jobOfSample, judgeHere } from "./job.ts";
import { type ServedPage, servePage } from "./page.ts";

suite("the verifier in Chromium", { skip: skipWithoutChromium() }, () => {
  let served: ServedPage;
  let browser: Browser;
  let page: Page;
  before(async () => {
    served = await servePage();
    browser = await startChromium();
    page = await browser.open(served.url);
    assert.equal(await page.evaluate("globalThis.ready"), true);
  });
  after(async () => {
    await browser.close();
    await served.close();
  });

  async function judgedThere(job: Job): Promise<Appraisal> {
    const value = await page.evaluate(
      `judgeJob(${JSON.stringify(job)}).then((appraisal) => JSON.stringify(appraisal))`,
    );
    return JSON.parse(String(value)) as Appraisal;
  }

  /** Judged in the page and here, which must be the same in every word. */
  async function judged(job: Job): Promise<Appraisal> {
    const there = await judgedThere(job);
    assert.deepEqual(there, JSON.parse(JSON.stringify(await judgeHere(job))));
    return there;
  }

  test("affirms simulated evidence of each kind, and refuses it changed, or under no named root", async () => {
    const nitroWorld = await newNitroWorld();
    const snp = await newSnpEvidence(await newSnpWorld());
    const tdx = await newIntelEvidence(await newIntelWorld(), { kind: "tdx5" });
    const sgx = await newIntelEvidence(await newIntelWorld(), { kind: "sgx3" });
    const nitro = {
      evidence: await newNitroDocument(nitroWorld),
      request: {
        ...nitroWorld,
        endorsements: NO_ENDORSEMENTS,
        anchors: [nitroWorld.root],
        reportData: nitroWorld.userData,
        expect: new Map([["nonZeroPcrs.0", [toHex(nitroWorld.image)]]]),
      },
    };
    for (const [kind, { evidence, request }] of Object.entries({ snp, tdx, sgx, nitro })) {
      const job = jobOfRequest(evidence, request);
      const right = await judged(job);
      assert.equal(right.verdict, "affirmed", `${kind}: ${JSON.stringify(right.checks)}`);
      assert.equal(right.simulated, true);
      assert.equal((await judged({ ...job, roots: [] })).verdict, "refused", kind);
      const changed = evidence.slice();
      const place = Math.floor(changed.length / 3);
      changed[place] = (changed[place] ?? 0) ^ 1;
      assert.equal(
        (await judged({ ...job, evidence: toBase64(changed) })).verdict,
        "refused",
        kind,
      );
    }
  });

  test("says of every sample what is said here", WITH_SAMPLES, async () => {
    const { cases } = evidenceCases();
    const jobs = cases.filter(({ verb }) => verb === "verify").map(jobOfSample);
    for (const { job, each } of jobs) {
      const { verdict } = await judged(job);
      assert.equal(verdict, each.verdict, each.argv.join(" "));
    }
    assert.ok(jobs.length > 100);
  });

  test("asks nobody for anything", () => {
    assert.deepEqual(
      [...new Set(served.asked)].filter((path) => path !== "/favicon.ico"),
      ["/", "/page.mjs", "/verifier.mjs"],
    );
  });
});

test("nothing of Node's is in the verifier", async () => {
  const text = new TextDecoder().decode(await buildVerifier());
  const found = /["'`]node:|\bprocess\.(?:env|exit|argv)|\bBuffer\.(?:from|alloc)|\brequire\(/.exec(
    text,
  );
  assert.equal(found?.[0], undefined);
});
