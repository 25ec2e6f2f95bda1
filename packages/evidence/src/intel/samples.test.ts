// Quotes of real platforms, each with the collateral of a day: claims, status, advisories and dates as the samples' index
// states them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromPem, parseCertificate, webCrypto } from "@holdfast/core";
import { type IntelRequest, NO_ENDORSEMENTS, verifyQuote } from "../index.ts";
import {
  type VectorEntry,
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  vectorJson,
  WITH_VECTORS,
} from "../testing/vectors.ts";

const entries = ["sgx-v3-", "tdx-v"].flatMap(vectorEntries);
const QVL_SAMPLE = "sgx-v3-intel-qvl-sample";

function failures(checks: readonly { name: string; outcome: string }[]): string[] {
  return checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
}

for (const entry of entries.filter(({ id }) => id !== QVL_SAMPLE)) {
  const [file = ""] = entry.files;
  for (const evaluation of entry.evaluations ?? []) {
    test(
      `${entry.id} with ${evaluation.collateral}: ${evaluation.tcbStatus}`,
      WITH_VECTORS,
      async () => {
        const request: IntelRequest = {
          at: new Date(evaluation.checkTime),
          crypto: webCrypto,
          endorsements: vectorEndorsements(evaluation.collateral),
          intel: { allowSeptVe: true },
        };
        const appraisal = await verifyQuote(vectorBytes(file), request);
        expectClaims(entry, appraisal.claims);
        assert.equal(appraisal.debug, entry.debug);
        assert.equal(appraisal.platform, `intel-${entry.id.slice(0, 3)}`);
        const open = appraisal.checks.filter(({ outcome }) => outcome === "not performed");
        const rejected = evaluation.tcbStatus.startsWith("REJECT: ");
        if (rejected) {
          const level = appraisal.checks.find(({ name }) => name === "tcb.level");
          assert.equal(level?.detail, evaluation.tcbStatus.slice("REJECT: ".length));
          assert.equal(appraisal.tcbStatus, undefined);
        } else {
          assert.equal(appraisal.tcbStatus, evaluation.tcbStatus);
          assert.deepEqual(appraisal.advisoryIds, evaluation.advisoryIds);
          assert.equal(appraisal.claims?.tcbDate, evaluation.tcbDate);
        }
        assert.deepEqual(
          open.map(({ name }) => name),
          ["quote.report-data"]
            .concat(rejected ? ["tcb.status"] : [])
            .toSorted()
            .toReversed(),
        );
        assert.deepEqual(failures(appraisal.checks), [
          ...(entry.id === "tdx-v4-go-spr-e4" ? ["quote.trailing"] : []),
          ...(rejected ? ["tcb.level"] : []),
          ...(!rejected && evaluation.tcbStatus !== "UpToDate" ? ["tcb.status"] : []),
          ...(entry.debug ? ["quote.debug"] : []),
        ]);
        assert.deepEqual(appraisal.validUntil, new Date(evaluation.windowTo));
        if (rejected || entry.debug) return;
        const told = await verifyQuote(vectorBytes(file), {
          ...request,
          intel: {
            allowSeptVe: true,
            tcbStatuses: [appraisal.tcbStatus as "UpToDate"],
          },
        });
        assert.equal(told.verdict, "affirmed");
      },
    );
  }
  test(`${entry.id} without collateral is not judged`, WITH_VECTORS, async () => {
    const at = new Date(Date.parse(String(entry.pck?.["validFrom"])) + 3_600_000);
    const request = { at, crypto: webCrypto, endorsements: NO_ENDORSEMENTS, allowDebug: true };
    const appraisal = await verifyQuote(vectorBytes(file), request);
    expectClaims(entry, appraisal.claims);
    const garbage = entry.id === "tdx-v4-go-spr-e4";
    assert.deepEqual(failures(appraisal.checks), garbage ? ["quote.trailing"] : []);
    assert.equal(appraisal.verdict, garbage ? "refused" : "not-judged");
  });
}

function expectClaims(entry: VectorEntry, claims: object | undefined): void {
  const { fmspc, pceId, cpuSvn, pceSvn, ca } = entry.pck ?? {};
  const platform = { fmspc, pceId, cpuSvn, pceSvn, pckCa: ca };
  for (const [name, value] of Object.entries({ ...entry.claims, ...platform })) {
    assert.deepEqual((claims as Record<string, unknown> | undefined)?.[name], value, name);
  }
}

test(
  "a quote that only names its platform takes a certificate from outside",
  WITH_VECTORS,
  async () => {
    const folder = "intel-qvl-sample";
    const [root = new Uint8Array()] = fromPem(
      "CERTIFICATE",
      new TextDecoder().decode(vectorBytes(`${folder}/trustedRootCaCert.pem`)),
    );
    const entry = entries.find(({ id }) => id === QVL_SAMPLE);
    const appraisal = await verifyQuote(vectorBytes(`${folder}/quote.dat`), {
      at: new Date("2024-01-01T00:00:00Z"),
      crypto: webCrypto,
      anchors: [parseCertificate(root)],
      endorsements: vectorEndorsements(...(entry?.files.slice(1) ?? [])),
    });
    assert.equal(appraisal.platform, "simulated-sgx");
    assert.deepEqual(failures(appraisal.checks), []);
    assert.equal(appraisal.tcbStatus, "UpToDate");
    assert.equal(appraisal.verdict, "affirmed");
  },
);

interface Suite {
  readonly checkTime: string;
  readonly cases: Readonly<
    Record<string, { readonly expected: string; readonly reportData: string }>
  >;
}

/** What refuses each case of the suite; nothing else may. */
const REFUSED_BY: Readonly<Record<string, readonly string[]>> = {
  "tdx4-swhardening": ["tcb.status"],
  "tdx4-qe-outofdate": ["tcb.status"],
  "tdx4-module-outofdate": ["tcb.status"],
  "tdx5-relaunch-advised": ["tcb.status"],
  "tdx4-tcb-revoked": ["tcb.status"],
  "tdx4-mrsignerseam-foreign": ["tdx.module"],
  "tdx4-debug": ["quote.debug"],
  "sgx3-debug": ["quote.debug"],
  "tdx4-fmspc-mismatch": ["tcb-info.supplied"],
  "tdx4-pck-revoked": ["pck.revocation"],
  "tdx4-crl-forged": ["pck.revocation"],
  "tdx4-crl-expired": ["pck.revocation"],
  "tdx4-tcbinfo-expired": ["tcb-info.dates"],
  "tdx4-tcbinfo-foreign-signer": ["tcb-info.signature"],
  "tdx4-intermediate-not-ca": ["pck.path.ca", "pck.path.key-usage"],
  "tdx4-ak-unbound": ["qe.binding"],
  "tdx4-qe-report-foreign": ["qe.signature"],
  "tdx4-tampered-mrtd": ["quote.signature"],
  "tdx4-truncated": ["quote.format"],
  "tdx4-trailing-garbage": ["quote.trailing"],
};

test("the suite of single faults", WITH_VECTORS, async (t) => {
  const folder = "synthetic/dcap";
  const suite = vectorJson<Suite>(`${folder}/index.json`);
  const [root = new Uint8Array()] = fromPem(
    "CERTIFICATE",
    new TextDecoder().decode(vectorBytes(`${folder}/root-ca.pem`)),
  );
  for (const [name, { expected, reportData }] of Object.entries(suite.cases)) {
    await t.test(`${name}: ${expected}`, async () => {
      const appraisal = await verifyQuote(vectorBytes(`${folder}/${name}.quote.bin`), {
        at: new Date(suite.checkTime),
        crypto: webCrypto,
        anchors: [parseCertificate(root)],
        endorsements: vectorEndorsements(`${folder}/${name}.collateral.json`),
        reportData: Uint8Array.fromHex(reportData),
      });
      assert.deepEqual(failures(appraisal.checks), REFUSED_BY[name] ?? []);
      assert.equal(appraisal.verdict, name in REFUSED_BY ? "refused" : "affirmed");
      const status = expected === "REJECT" || expected === "POLICY" ? undefined : expected;
      if (status !== undefined) assert.equal(appraisal.tcbStatus, status);
    });
  }
});
