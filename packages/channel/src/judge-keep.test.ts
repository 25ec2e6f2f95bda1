// Every check a client makes of a keep's certificates, each with the one fault that fails it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixedClock, fromHex, unmet } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { judgeKeep, newIdentity, newKeepKey, type SkippableCheck } from "./index.ts";
import {
  issueLeaf,
  type LeafChange,
  MEASUREMENT,
  newAuthority,
  newPolicy,
} from "./testing/small-keep.ts";

const CLOCK = fixedClock(new Date("2026-06-01T12:00:00Z"));
const HOUR = 60 * 60 * 1000;

async function judge(
  change: LeafChange & { strangerIssues?: boolean; policyExpiry?: Date; at?: Date } = {},
  skip: readonly SkippableCheck[] = [],
) {
  const authority = await newAuthority(CLOCK);
  const identity = await newIdentity({ commonName: "user", clock: CLOCK });
  const policy = newPolicy({
    authority,
    identity,
    port: 3014,
    clock: CLOCK,
    ...(change.policyExpiry === undefined ? {} : { expiry: change.policyExpiry }),
  });
  const hash = await policyHash(policy.text);
  const key = await newKeepKey(fromHex(hash), "test");
  const issuer = change.strangerIssues ? await newAuthority(CLOCK) : authority;
  const leaf = await issueLeaf(issuer, key, policy, CLOCK, change);
  return judgeKeep({
    chain: [leaf, issuer.certificateDer],
    policy,
    policyHash: hash,
    at: change.at ?? CLOCK.now(),
    skip: new Set(skip),
  });
}

test("a keep with the right chain, measurement, policy hash and dates is affirmed", async () => {
  const verdict = await judge();
  assert.equal(verdict.affirmed, true, JSON.stringify(unmet(verdict.checks)));
  assert.equal(verdict.simulated, true);
  assert.equal(verdict.measurement, MEASUREMENT);
  assert.equal(verdict.platform, "simulated-nitro");
  assert.ok(verdict.checks.every(({ outcome }) => outcome === "passed"));
});

const FAULTS: readonly [
  string,
  LeafChange & Parameters<typeof judge>[0],
  string,
  SkippableCheck,
][] = [
  ["issued by a stranger of the same name", { strangerIssues: true }, "path.signatures", "chain"],
  ["another measurement", { measurement: "00".repeat(32) }, "keep.measurement", "measurement"],
  ["no measurement", { withoutClaims: true }, "keep.measurement", "measurement"],
  ["another policy", { policyHash: "11".repeat(32) }, "keep.policy-hash", "policy-hash"],
  ["no policy hash", { withoutClaims: true }, "keep.policy-hash", "policy-hash"],
  [
    "an expired certificate",
    { notAfter: new Date(CLOCK.now().getTime() - 1) },
    "path.validity",
    "dates",
  ],
  [
    "a certificate not yet valid",
    { notBefore: new Date(CLOCK.now().getTime() + HOUR / 2) },
    "path.validity",
    "dates",
  ],
  [
    "an expired policy",
    { policyExpiry: new Date(CLOCK.now().getTime() - HOUR) },
    "keep.policy-date",
    "dates",
  ],
];

for (const [fault, change, check, group] of FAULTS) {
  test(`a keep with ${fault} is refused by ${check}`, async () => {
    const verdict = await judge(change);
    assert.equal(verdict.affirmed, false);
    assert.ok(
      unmet(verdict.checks).some(({ name, outcome }) => name === check && outcome === "failed"),
      JSON.stringify(unmet(verdict.checks)),
    );
  });
  test(`skipping ${group} leaves ${check} not performed, never passed`, async () => {
    const verdict = await judge(change, [group]);
    const skipped = verdict.checks.filter(({ name }) => name === check);
    assert.deepEqual(
      skipped.map(({ outcome }) => outcome),
      ["not performed"],
    );
  });
}

test("no certificate at all is refused, whatever is skipped", async () => {
  const authority = await newAuthority(CLOCK);
  const identity = await newIdentity({ commonName: "user", clock: CLOCK });
  const policy = newPolicy({ authority, identity, port: 3014, clock: CLOCK });
  const verdict = await judgeKeep({
    chain: [],
    policy,
    policyHash: await policyHash(policy.text),
    at: CLOCK.now(),
    skip: new Set<SkippableCheck>(["chain", "measurement", "policy-hash", "dates"]),
  });
  assert.equal(verdict.affirmed, false);
});
