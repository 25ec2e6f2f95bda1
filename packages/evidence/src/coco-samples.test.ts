// Evidence and event logs of Confidential Containers, which its own verifier is tested with: what it accepts is accepted,
// what it refuses is refused, and what it leaves unchecked is checked.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { toHex, webCrypto } from "@holdfast/core";
import {
  type EvidenceRequest,
  NO_ENDORSEMENTS,
  parseEventLog,
  readEndorsements,
  replayEventLog,
  verifyEvidence,
} from "./index.ts";

const FOLDER = resolve(import.meta.dirname, "../../../../shared/vectors/coco/trustee/deps");
const WITH_SAMPLES = {
  skip: existsSync(FOLDER) ? false : "no samples at ../shared/vectors/coco",
};
const sample = (path: string) => new Uint8Array(readFileSync(resolve(FOLDER, path)));
const evidence = (path: string) => sample(`verifier/test_data/${path}`);
const endorsed = (...paths: readonly string[]) =>
  readEndorsements(paths.map((name) => ({ name, bytes: evidence(name) })));

const REQUEST: EvidenceRequest = {
  at: new Date("2025-06-01T00:00:00Z"),
  crypto: webCrypto,
  endorsements: NO_ENDORSEMENTS,
  // No list of AMD or NVIDIA of these days is among the samples.
  waive: ["snp.revocation", "gpu.revocation"],
};

async function judged(bytes: Uint8Array, change: Partial<EvidenceRequest> = {}) {
  const appraisal = await verifyEvidence(bytes, { ...REQUEST, ...change });
  const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
  return { ...appraisal, failed: failed.map(({ name }) => name) };
}

test("SNP reports, genuine and altered", WITH_SAMPLES, async () => {
  const endorsements = endorsed("snp/test-vcek.der");
  const report = evidence("snp/test-report.bin");
  const genuine = await judged(report, { endorsements });
  assert.deepEqual(genuine.failed, []);
  assert.equal(genuine.verdict, "affirmed");
  for (const at of [42, 384]) {
    const altered = report.slice();
    altered[at] = (altered[at] ?? 0) ^ 1;
    assert.ok((await judged(altered, { endorsements })).failed.includes("snp.signature"));
  }
  for (const name of ["legacy", "new"]) {
    const invalid = endorsed(`snp/test-vcek-invalid-${name}.der`);
    const { failed } = await judged(report, { endorsements: invalid });
    assert.ok(failed.includes("path.signatures") && failed.includes("snp.signature"));
  }
  const vlek = await judged(evidence("snp/test-vlek-report.bin"), {
    endorsements: endorsed("snp/test-vlek.der"),
    snp: { vmpl: [1] },
  });
  assert.deepEqual(vlek.failed, []);
  assert.equal(vlek.verdict, "affirmed");
});

const SERVICE_TD =
  "383c87d3bbb047b2d171eaca95312ede99f258088dc788f6ae2ccf8b6dd848fe8d47629e08b3f6cbd4a00dd47a5a033d";

test("TDX and SGX quotes: signatures, chains, bindings", WITH_SAMPLES, async () => {
  for (const [name, claim, start] of [
    ["tdx_quote_4.dat", "mrTd", "705ee938"],
    ["tdx_quote_5.dat", "mrTd", "dfba221b"],
    ["tdx_quote_6.dat", "mrTd", "21e8dead"],
    ["occlum_quote.dat", "mrEnclave", "8f173e46"],
  ] as const) {
    const { failed, claims } = await judged(evidence(name), { allowDebug: true });
    // The one of version 5 has a service TD bound to it, which somebody must name.
    assert.deepEqual(failed, name === "tdx_quote_5.dat" ? ["tdx.service-td"] : [], name);
    const { verdict } = await judged(evidence(name), {
      allowDebug: true,
      intel: { serviceTds: [SERVICE_TD] },
    });
    assert.equal(verdict, "not-judged");
    const value = (claims as Record<string, string> | undefined)?.[claim];
    assert.equal(value?.slice(0, 8), start);
  }
});

test("a log of another machine than the quote's is refused", WITH_SAMPLES, async () => {
  const parts = [{ name: "log", bytes: sample("eventlog/test_data/CCEL_data") }];
  const { failed } = await judged(evidence("tdx_quote_4.dat"), {
    allowDebug: true,
    endorsements: { ...NO_ENDORSEMENTS, parts },
  });
  assert.ok(failed.includes("event-log.1") && failed.includes("event-log.2"));
});

test("Azure machines in every encoding", WITH_SAMPLES, async () => {
  for (const [name, at] of [
    ["az-snp-vtpm/evidence-v0.json", "2025-06-01T00:00:00Z"],
    ["az-snp-vtpm/evidence-v1.json", "2025-06-01T00:00:00Z"],
    ["az-snp-vtpm/evidence-v2.json", "2026-06-01T00:00:00Z"],
    ["az-snp-vtpm/evidence-genoa.json", "2025-06-01T00:00:00Z"],
  ] as const) {
    const { failed, verdict } = await judged(evidence(name), { at: new Date(at) });
    assert.deepEqual(failed, [], name);
    assert.equal(verdict, "affirmed", name);
  }
  for (const name of ["az-tdx-vtpm/evidence-v0.json", "az-tdx-vtpm/evidence-v1.json"]) {
    const { failed, claims } = await judged(evidence(name));
    assert.deepEqual(failed, [], name);
    assert.ok(claims !== undefined);
  }
});

test("altered reports of Azure's paravisor are refused", WITH_SAMPLES, async () => {
  for (const [name, places] of [
    ["az-snp-vtpm/evidence-v1.json", [0x01a6, 0x06e0, 0x0540]],
    ["az-tdx-vtpm/evidence-v1.json", [0x0880]],
  ] as const) {
    const json = JSON.parse(Buffer.from(evidence(name)).toString()) as { hcl_report: string };
    for (const at of places) {
      const report = Buffer.from(json.hcl_report, "base64url");
      report[at] = (report[at] ?? 0) ^ 1;
      const altered = { ...json, hcl_report: report.toString("base64url") };
      const { verdict } = await judged(new TextEncoder().encode(JSON.stringify(altered)));
      assert.equal(verdict, "refused", `${name} at ${at.toString(16)}h`);
    }
  }
});

test("GPU reports and incomplete chains", WITH_SAMPLES, async () => {
  const report = evidence("nvidia/hopperAttestationReport.txt");
  const nonce = Uint8Array.fromHex(
    "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb",
  );
  const verdicts = await Promise.all(
    [1, 2, 3, 4].map((number) =>
      judged(report, {
        endorsements: endorsed(`nvidia/hopper_cert_chain_case${number}.txt`),
        nonce,
      }),
    ),
  );
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict),
    ["affirmed", "not-judged", "refused", "not-judged"],
  );
  const coco = await judged(evidence("nvidia/hopper_coco_report1.txt"), {
    endorsements: endorsed("nvidia/hopper_coco_certs1.txt"),
  });
  assert.equal(coco.verdict, "affirmed");
});

test("a CCA token under its trust anchors, a TPM quote under its key", WITH_SAMPLES, async () => {
  const cca = await judged(evidence("cca/misc/cca-example-token.cbor"), {
    endorsements: endorsed("cca/conf/tastore.json"),
  });
  assert.equal(cca.verdict, "affirmed");
  const quote = evidence("tpm_evidence.json");
  const { ak_public: spki } = JSON.parse(Buffer.from(quote).toString()) as { ak_public: string };
  const key = new TextEncoder().encode(
    `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`,
  );
  const endorsements = readEndorsements([{ name: "ak.pem", bytes: key }]);
  assert.equal((await judged(quote, { endorsements })).verdict, "affirmed");
  assert.equal((await judged(quote)).verdict, "not-judged");
});

/** First bytes of registers 1 to 4 after a replay. */
const LOGS: Readonly<Record<string, readonly string[]>> = {
  CCEL_data: ["2dc712306a963ead", "0fa3be56af61208b"],
  CCEL_data_ovmf: ["8566f998798db094", "775b9f6bfe99f8a3", "94eaf7a7bf398ed8"],
  CCEL_data_grub: ["cec0a104f691f60d", "6c289e0c62182d41", "08919d017ba0e52c"],
  CCEL_data_gcp: ["3300980705adf09d", "204d49f78d29918f"],
  CCEL_data_grub_gke: ["bc9945139042cf2c", "c17cb288a4dee302", "334aeba2c985f888"],
  CCEL_AAEL_alibabacloud: [
    "b796e1c11396c198",
    "3b0b906140fcea68",
    "35f2801338c1b5fc",
    "5e4ecd49d3c7983d",
  ],
  CCEL_data_csv: ["d76c4b289abcdf0e", "0559c2040dc2045f", "287078930b845b37"],
};

test("event logs replay", WITH_SAMPLES, async () => {
  for (const [name, starts] of Object.entries(LOGS)) {
    const log = parseEventLog(sample(`eventlog/test_data/${name}`));
    const registers = await replayEventLog(
      log,
      name === "CCEL_data_csv" ? "sm3" : "sha384",
      webCrypto,
    );
    const found = [1, 2, 3, 4].flatMap((register) => {
      const value = registers.get(register);
      return value === undefined ? [] : [toHex(value).slice(0, 16)];
    });
    assert.deepEqual(found, starts, name);
  }
});
