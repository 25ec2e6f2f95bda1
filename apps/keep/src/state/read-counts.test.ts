import assert from "node:assert/strict";
import { test } from "node:test";
import { newIdentity } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import { policyText } from "../testing/test-policy.ts";
import { CountedRead } from "./counted-read.ts";
import { ReadCounts } from "./read-counts.ts";

const { certificatePem } = await newIdentity({ commonName: "reader", clock: systemClock });
const policy = parsePolicy(
  policyText({
    identities: [{ certificatePem, rights: { "/in/": 0 } }],
    terms: { read_limits: [{ path: "/in/twice", times: 2 }] },
    serverUrl: "127.0.0.1:1",
    attestationUrl: "127.0.0.1:3010",
    attestationCertificatePem: certificatePem,
    measurement: "0".repeat(64),
  }),
);
const [reader] = policy.identities;
assert.ok(reader);
const isRefused = (thrown: unknown): boolean =>
  thrown instanceof KeepError && thrown.code === "READ_LIMIT";

test("reads that go on at the same time count, each of them", () => {
  const counts = new ReadCounts(policy);
  counts.take("/in/twice", reader);
  counts.take("/in/twice", reader);
  assert.throws(() => counts.take("/in/twice", reader), isRefused);
});

test("a read is given back once, however often it is said", () => {
  const counts = new ReadCounts(policy);
  const giveBack = counts.take("/in/twice", reader);
  counts.take("/in/twice", reader);
  giveBack();
  giveBack();
  counts.take("/in/twice", reader);
  assert.throws(() => counts.take("/in/twice", reader), isRefused);
});

test("where there is no limit, nothing is counted", () => {
  const counts = new ReadCounts(policy);
  for (let turn = 0; turn < 5; turn += 1) counts.take("/in/other", reader);
});

test("what is left before anything was taken of it is no read; after that it is", () => {
  const given: string[] = [];
  const read = (name: string): CountedRead =>
    new CountedRead([new Uint8Array(1), new Uint8Array(2)], () => given.push(name));
  read("not begun").return();
  for (const _ of read("begun")) break;
  assert.deepEqual(
    [...read("whole")].map(({ length }) => length),
    [1, 2],
  );
  assert.deepEqual(given, ["not begun"]);
});
