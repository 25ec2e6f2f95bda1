// Evidence of Azure's virtual machines: claims and results as the samples' index states them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { NO_ENDORSEMENTS, verifyAzure } from "../index.ts";
import { asObject } from "../json/members.ts";
import {
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  vectorJson,
  WITH_VECTORS,
} from "../testing/vectors.ts";
import { parseAzureJson } from "./evidence.ts";
import { parseHclReport } from "./hcl-report.ts";

const NO_LIST = ["snp.revocation"];

for (const entry of vectorEntries("az-").filter(({ id }) => id !== "az-hcl-report-snp")) {
  test(`${entry.id}: ${entry.expected}`, WITH_VECTORS, async () => {
    const [file = ""] = entry.files;
    const json = asObject(vectorJson(file), file);
    const evidence = parseAzureJson(json);
    const tdx = entry.id === "az-tdx-v1";
    const request = {
      at: new Date("2025-07-07T10:20:26Z"),
      crypto: webCrypto,
      endorsements: tdx
        ? vectorEndorsements("collateral/automata-00806f05-2025-07.json")
        : NO_ENDORSEMENTS,
      nonce: Uint8Array.fromHex(String(entry.claims?.["tpmNonce"])),
      waive: NO_LIST,
      intel: { allowSeptVe: true, tcbStatuses: ["OutOfDate"] as const },
    };
    const appraisal = await verifyAzure(evidence, request);
    assert.deepEqual(
      appraisal.checks.filter(({ outcome }) => outcome === "failed"),
      [],
    );
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.platform, tdx ? "azure-intel-tdx" : "azure-amd-sev-snp");
    for (const [name, value] of Object.entries(entry.claims ?? {})) {
      assert.deepEqual(
        (appraisal.claims as Record<string, unknown> | undefined)?.[name],
        value,
        name,
      );
    }
    const hcl = evidence.hclReport.slice();
    hcl[1236 + 40] = (hcl[1236 + 40] ?? 0) ^ 1;
    const altered = await verifyAzure({ ...evidence, hclReport: hcl }, request);
    assert.equal(altered.verdict, "refused");
  });
}

test("a bare report of the paravisor names its key and its kind", WITH_VECTORS, () => {
  const report = parseHclReport(vectorBytes("azure/hcl-report-snp.bin"));
  assert.equal(report.kind, "snp");
  assert.equal(report.attestationKey.key.kind, "rsa");
});
