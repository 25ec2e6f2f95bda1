import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { newIdentity } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import { samplePolicy } from "../testing/sample-policy.ts";
import { type PolicyExpectations, requireReviewed, reviewPolicy } from "./review-policy.ts";

interface Editable {
  identities: {
    certificate: string;
    file_rights: { file_name: string; rights: number }[];
    id: number;
  }[];
  file_hashes: { file_path: string; hash: string }[];
  runtime_manager_hash_nitro: string;
  proxy_service_cert: string;
}

const sample = await samplePolicy();
const stranger = await newIdentity({ commonName: "stranger", clock: systemClock });
const EXPECTED: PolicyExpectations = {
  asked: sample.asked,
  measurement: sample.measurement,
  authorityPem: sample.authorityPem,
  fileHashes: new Map([["/program/detector.wasm", "ab".repeat(32)]]),
};

function failures(edit: (policy: Editable) => void, expected = EXPECTED): string[] {
  const policy = JSON.parse(sample.text) as Editable;
  edit(policy);
  return reviewPolicy(parsePolicy(JSON.stringify(policy)), expected)
    .filter(({ outcome }) => outcome === "failed")
    .map(({ name }) => name);
}

suite("review of a policy that came back", () => {
  test("passes what was asked for", () => {
    const checks = reviewPolicy(parsePolicy(sample.text), EXPECTED);
    assert.ok(
      checks.every(({ outcome }) => outcome === "passed"),
      JSON.stringify(checks),
    );
    assert.doesNotThrow(() => requireReviewed(checks));
  });

  test("says what it could not check, and lets it pass", () => {
    const checks = reviewPolicy(parsePolicy(sample.text), { asked: sample.asked });
    const open = checks
      .filter(({ outcome }) => outcome === "not performed")
      .map(({ name }) => name);
    assert.deepEqual(open, ["review.file-hashes", "review.measurement", "review.authority"]);
    assert.doesNotThrow(() => requireReviewed(checks));
  });

  const reader = { certificate: stranger.certificatePem, id: 9 };
  for (const [fault, edit, name] of [
    [
      "another reader of the output",
      (p: Editable) =>
        p.identities.push({ ...reader, file_rights: [{ file_name: "/output/", rights: 24_582 }] }),
      "review.others",
    ],
    [
      "another who may only list",
      (p: Editable) =>
        p.identities.push({ ...reader, file_rights: [{ file_name: "/", rights: 16_384 }] }),
      "review.others",
    ],
    [
      "a loader who may read",
      (p: Editable) => p.identities[2]?.file_rights.push({ file_name: "stdout", rights: 2 }),
      "review.others",
    ],
    [
      "a user with fewer rights",
      (p: Editable) => p.identities[1]?.file_rights.pop(),
      "review.identities",
    ],
    [
      "a bridge with more rights",
      (p: Editable) => p.identities[0]?.file_rights.push({ file_name: "/output/", rights: 24_582 }),
      "review.identities",
    ],
    ["a user who is missing", (p: Editable) => p.identities.splice(1, 1), "review.identities"],
    [
      "a program that is not pinned",
      (p: Editable) => p.file_hashes.splice(0, 1),
      "review.programs",
    ],
    [
      "a program pinned to another hash",
      (p: Editable) => {
        p.file_hashes = p.file_hashes.map((each) => ({ ...each, hash: "00".repeat(32) }));
      },
      "review.file-hashes",
    ],
    [
      "another measurement",
      (p: Editable) => {
        p.runtime_manager_hash_nitro = "00".repeat(32);
      },
      "review.measurement",
    ],
    [
      "another attestation authority",
      (p: Editable) => {
        p.proxy_service_cert = stranger.certificatePem;
      },
      "review.authority",
    ],
  ] as const) {
    test(`refuses ${fault}`, () => {
      assert.ok(failures(edit).includes(name));
      const policy = JSON.parse(sample.text) as Editable;
      edit(policy);
      const checks = reviewPolicy(parsePolicy(JSON.stringify(policy)), EXPECTED);
      assert.throws(() => requireReviewed(checks), { code: "CLI_NOT_VERIFIED" });
    });
  }
});
