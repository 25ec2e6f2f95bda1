// Reports of real platforms: claims and results as the samples' index states them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Certificate, fromPem, parseCertificate, webCrypto } from "@holdfast/core";
import { mergeEndorsements, type SnpRequest, verifySnp } from "../index.ts";
import {
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  vectorJson,
  WITH_VECTORS,
} from "../testing/vectors.ts";

const REVOCATION = "snp.revocation";

for (const entry of vectorEntries("snp-")) {
  const [report, leaf] = entry.files;
  if (report === undefined || leaf === undefined || !report.endsWith(".report.bin")) continue;
  test(`${entry.id}: ${entry.expected}`, WITH_VECTORS, async () => {
    const at = new Date(Date.parse(entry.leafValidFrom ?? "") + 3_600_000);
    const request: SnpRequest = {
      at,
      crypto: webCrypto,
      endorsements: vectorEndorsements(leaf),
      // No list of these product lines and days is among the samples.
      waive: [REVOCATION],
      ...(entry.id === "snp-milan-vlek-aws" ? { snp: { vmpl: [1] } } : {}),
    };
    const appraisal = await verifySnp(vectorBytes(report), request);
    const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
    const names = failed.map(({ name }) => name);
    if (entry.id.startsWith("snp-milan-wrong-vcek")) {
      assert.equal(appraisal.verdict, "refused");
      assert.equal(appraisal.claims, undefined);
      for (const name of ["path.signatures", "snp.leaf-tcb", "snp.chip-id", "snp.signature"]) {
        assert.ok(names.includes(name), name);
      }
      return;
    }
    for (const [name, value] of Object.entries(entry.claims ?? {})) {
      assert.deepEqual({ ...appraisal.claims }[name], value, name);
    }
    assert.equal(appraisal.platform, "amd-sev-snp");
    assert.equal(appraisal.simulated, false);
    assert.equal(appraisal.debug, entry.debug);
    assert.deepEqual(names, entry.debug ? ["snp.debug"] : []);
    assert.equal(appraisal.verdict, entry.debug ? "refused" : "affirmed");
    const strict = await verifySnp(vectorBytes(report), { ...request, waive: [] });
    assert.equal(strict.verdict, entry.debug ? "refused" : "not-judged");
    if (!entry.debug) return;
    const allowed = await verifySnp(vectorBytes(report), { ...request, allowDebug: true });
    assert.equal(allowed.verdict, "affirmed");
  });
}

test("a genuine list of AMD completes the verdict", WITH_VECTORS, async () => {
  const appraisal = await verifySnp(vectorBytes("snp/milan-trustee.report.bin"), {
    at: new Date("2023-03-01T00:00:00Z"),
    crypto: webCrypto,
    endorsements: vectorEndorsements("snp/milan-trustee.vcek.der", "snp/ark-milan-2022.crl.der"),
  });
  assert.equal(appraisal.verdict, "affirmed");
  assert.deepEqual(appraisal.validUntil, new Date("2023-05-09T23:00:00Z"));
  assert.equal(appraisal.collateral.length, 4);
});

test("an old list of AMD leaves revocation open", WITH_VECTORS, async () => {
  const appraisal = await verifySnp(vectorBytes("snp/milan-trustee.report.bin"), {
    at: new Date("2023-05-10T00:00:00Z"),
    crypto: webCrypto,
    endorsements: vectorEndorsements("snp/milan-trustee.vcek.der", "snp/ark-milan-2022.crl.der"),
  });
  const open = appraisal.checks.find(({ name }) => name === REVOCATION);
  assert.equal(open?.outcome, "not performed");
  assert.match(open?.detail ?? "", /expired at 2023-05-09/);
  assert.equal(appraisal.verdict, "not-judged");
});

interface Suite {
  readonly checkTime: string;
  readonly cases: Readonly<
    Record<
      string,
      { readonly expected: string; readonly chain: string; readonly reportData: string }
    >
  >;
}

/** What refuses each case of the suite; nothing else may. */
const REFUSED_BY: Readonly<Record<string, readonly string[]>> = {
  debug: ["snp.debug"],
  "sig-foreign": ["snp.signature"],
  "flip-measurement": ["snp.signature"],
  "chip-id-mismatch": ["snp.chip-id"],
  "cert-tcb-higher": ["snp.leaf-tcb"],
  "vlek-claims-vcek": ["snp.signing-key"],
  "version-99": ["snp.format"],
  "leaf-foreign": ["path.signatures"],
  "leaf-expired": ["path.validity"],
  "ask-revoked": ["snp.revocation"],
  "crl-forged": ["snp.revocation"],
  short: ["snp.format"],
};

test("the suite of single faults", WITH_VECTORS, async (t) => {
  const folder = "synthetic/snp-milan";
  const suite = vectorJson<Suite>(`${folder}/index.json`);
  const root = certificate(`${folder}/ark.pem`);
  for (const [name, { expected, chain, reportData }] of Object.entries(suite.cases)) {
    await t.test(`${name}: ${expected}`, async () => {
      const request: SnpRequest = {
        at: new Date(suite.checkTime),
        crypto: webCrypto,
        endorsements: mergeEndorsements(
          vectorEndorsements(`${folder}/${name}.leaf.der`, `${folder}/${name}.crl.der`),
          vectorEndorsements(`${folder}/${chain}`),
        ),
        anchors: [root],
        reportData: Uint8Array.fromHex(reportData),
      };
      const appraisal = await verifySnp(vectorBytes(`${folder}/${name}.report.bin`), request);
      const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
      assert.deepEqual(
        failed.map((each) => each.name),
        REFUSED_BY[name] ?? [],
      );
      const verdicts: Record<string, string> = {
        ACCEPT: "affirmed",
        REJECT: "refused",
        POLICY: "not-judged",
      };
      assert.equal(appraisal.verdict, verdicts[expected]);
      if (name === "vmpl2") {
        const told = await verifySnp(vectorBytes(`${folder}/${name}.report.bin`), {
          ...request,
          snp: { vmpl: [2] },
        });
        assert.equal(told.verdict, "affirmed");
      }
      if (expected === "ACCEPT") {
        assert.equal(appraisal.platform, "simulated-sev-snp");
        assert.equal(appraisal.simulated, true);
        const untrusted = await verifySnp(vectorBytes(`${folder}/${name}.report.bin`), {
          ...request,
          anchors: [],
        });
        assert.equal(untrusted.verdict, "refused");
        assert.equal(untrusted.claims, undefined);
      }
    });
  }
});

function certificate(path: string): Certificate {
  const [der] = fromPem("CERTIFICATE", new TextDecoder().decode(vectorBytes(path)));
  return parseCertificate(der ?? new Uint8Array());
}
