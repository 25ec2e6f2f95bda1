// The report of a real GPU.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { verifyEvidence } from "../index.ts";
import { vectorBytes, vectorEndorsements, vectorJson, WITH_VECTORS } from "../testing/vectors.ts";

test(
  "nvidia-hopper: chain of 5 to NVIDIA, measurements and fields as published",
  WITH_VECTORS,
  async () => {
    const expected = vectorJson<{
      config: Record<string, string>;
      measurements: Record<string, string>;
    }>("nvidia/hopper-claims.json");
    const request = {
      at: new Date("2026-01-01T00:00:00Z"),
      crypto: webCrypto,
      endorsements: vectorEndorsements("nvidia/hopper-chain.txt"),
      nonce: Uint8Array.fromHex("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb"),
    };
    const report = vectorBytes("nvidia/hopper-report.hex");
    const open = await verifyEvidence(report, request);
    assert.equal(open.verdict, "not-judged");
    const appraisal = await verifyEvidence(report, { ...request, waive: ["gpu.revocation"] });
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.platform, "nvidia-gpu");
    const claims = appraisal.claims as Record<string, unknown> | undefined;
    assert.deepEqual(claims?.["measurements"], expected.measurements);
    assert.equal(claims?.["driverVersion"], expected.config["driver_version"]);
    assert.equal(claims?.["vbiosVersion"], expected.config["vbios_version"]);
    assert.equal(claims?.["boardId"], expected.config["board_id"]);
    assert.equal(claims?.["project"], expected.config["project"]);
    assert.equal(claims?.["projectSku"], expected.config["project_sku"]);
    assert.equal(claims?.["chipSku"], expected.config["chip_sku"]);
    assert.equal(claims?.["fwid"], expected.config["fwid"]);
  },
);
