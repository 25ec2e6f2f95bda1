// Logs of the TPM 1.2 era: read, replayed in their one bank, and told from anything else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { concat, toHex, webCrypto } from "@holdfast/core";
import fc from "fast-check";
import {
  EvidenceError,
  NO_ENDORSEMENTS,
  parseEventLog,
  recogniseEvidence,
  verifyEventLog,
} from "../index.ts";

const digest = (fill: number): Uint8Array => new Uint8Array(20).fill(fill);

function event(register: number, type: number, fill: number, data = new Uint8Array(5)): Uint8Array {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, register, true);
  head.setUint32(4, type, true);
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, data.length, true);
  const bytes = [head, size].map(({ buffer }) => new Uint8Array(buffer));
  return concat(bytes[0] ?? digest(0), digest(fill), bytes[1] ?? digest(0), data);
}

const LOG = concat(event(0, 8, 1), event(4, 13, 2), event(0, 0x8000_0001, 3), event(7, 4, 4));

test("events are read and replayed in the bank of SHA-1", async () => {
  const extended = [1, 3].reduce<Uint8Array>(
    (before, each) => createHash("sha1").update(before).update(digest(each)).digest(),
    digest(0),
  );
  for (const padding of [0, 300].flatMap((length) => [
    new Uint8Array(length),
    new Uint8Array(length).fill(255),
  ])) {
    const log = concat(LOG, padding);
    assert.equal(recogniseEvidence(log).type, "event-log");
    const request = { at: new Date(), crypto: webCrypto, endorsements: NO_ENDORSEMENTS };
    const { verdict, claims } = await verifyEventLog(log, request);
    assert.equal(verdict, "not-judged");
    assert.equal(claims?.events, 4);
    assert.equal(claims?.bank, "sha1");
    assert.equal(claims?.registers["0"], toHex(extended));
  }
});

for (const [name, bytes] of [
  ["cut short", LOG.subarray(0, -3)],
  ["with something behind it", concat(LOG, Uint8Array.of(1, 2, 3))],
  ["of a register that no TPM has", concat(LOG, event(24, 4, 1))],
  ["of two events", LOG.subarray(0, 74)],
  ["whose first event is none of the TCG's", concat(event(0, 0x21, 1), LOG)],
] as const) {
  test(`not taken for a log: one ${name}`, () => {
    assert.throws(
      () => recogniseEvidence(bytes),
      (thrown) => thrown instanceof EvidenceError && thrown.code === "EVIDENCE_UNKNOWN",
    );
  });
}

test("any bytes are a log or an error of our own", () => {
  const mutated = fc
    .tuple(fc.nat(LOG.length - 1), fc.nat(255))
    .map(([at, value]) => LOG.with(at, value));
  fc.assert(
    fc.property(mutated, (bytes) => {
      try {
        parseEventLog(bytes);
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 500 },
  );
});
