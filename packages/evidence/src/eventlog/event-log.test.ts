// Logs that can't be read, logs of another boot, and what a log leaves unexplained.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { toHex, webCrypto } from "@holdfast/core";
import {
  encodeEventLog,
  type LoggedEvent,
  newIntelEvidence,
  newIntelWorld,
} from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError, parseEventLog, replayEventLog, verifyQuote } from "../index.ts";

const digest = (fill: number) => new Uint8Array(48).fill(fill);
const EVENTS: readonly LoggedEvent[] = [
  { register: 1, digest: digest(1) },
  { register: 1, digest: digest(2), type: 3 },
  { register: 2, digest: digest(3) },
  { register: 1, digest: digest(4) },
];

function extended(...digests: readonly Uint8Array[]): string {
  const value = digests.reduce<Uint8Array>(
    (before, each) => createHash("sha384").update(before).update(each).digest(),
    new Uint8Array(48),
  );
  return toHex(value);
}

test("a log replays event by event, passing over those that are not measured", async () => {
  for (const padding of [new Uint8Array(), new Uint8Array(20), new Uint8Array(64).fill(255)]) {
    const log = parseEventLog(encodeEventLog(EVENTS, { padding }));
    assert.equal(log.events.length, 4);
    const registers = await replayEventLog(log, "sha384", webCrypto);
    assert.deepEqual(
      [...registers].map(([register, value]) => [register, toHex(value)]),
      [
        [1, extended(digest(1), digest(4))],
        [2, extended(digest(3))],
      ],
    );
  }
});

test("a TPM that was started from another locality starts PCR 0 with it", async () => {
  const data = new TextEncoder().encode("StartupLocality\0\u0003");
  const log = parseEventLog(
    encodeEventLog([
      { register: 0, type: 3, digest: digest(0), data },
      { register: 0, digest: digest(7) },
    ]),
  );
  const start = new Uint8Array(48);
  start[47] = 3;
  const wanted = createHash("sha384").update(start).update(digest(7)).digest();
  const replayed = (await replayEventLog(log, "sha384", webCrypto)).get(0);
  assert.deepEqual(replayed && toHex(replayed), toHex(wanted));
});

test("logs are refused for their fault", () => {
  const refused: readonly (readonly [Uint8Array, RegExp])[] = [
    [new Uint8Array(), /past the end/],
    [encodeEventLog([], { signature: "Spec ID Event02" }), /crypto-agile/],
    [encodeEventLog([], { type: 4 }), /not a header/],
    [encodeEventLog([], { digestSize: 32 }), /sha384 of 32 bytes/],
    [encodeEventLog([{ register: 1, digest: digest(1), bank: 0x0b }]), /does not belong/],
    [encodeEventLog(EVENTS).subarray(0, -2), /past the end/],
    [new Uint8Array(1024 * 1024 + 1), /bytes/],
  ];
  for (const [log, message] of refused) {
    assert.throws(() => parseEventLog(log), message);
  }
});

test("a log stands or falls with the registers of its TD", async (t) => {
  const world = await newIntelWorld();
  const rtMr = Uint8Array.fromHex(extended(digest(9)));
  const withLog = async (events: readonly LoggedEvent[], rtMr3 = new Uint8Array(48)) => {
    const { evidence, request } = await newIntelEvidence(world, {
      beforeSigning: (signed) => {
        signed.set(rtMr, 48 + 328);
        signed.set(rtMr3, 48 + 472);
      },
    });
    const parts = [{ name: "log", bytes: encodeEventLog(events) }];
    const endorsements = { ...request.endorsements, parts };
    return await verifyQuote(evidence, { ...request, endorsements });
  };
  await t.test("its own", async () => {
    const appraisal = await withLog([{ register: 1, digest: digest(9) }]);
    assert.equal(appraisal.verdict, "affirmed");
  });
  await t.test("another boot's", async () => {
    const appraisal = await withLog([{ register: 1, digest: digest(8) }]);
    assert.equal(appraisal.verdict, "refused");
  });
  await t.test("one that leaves a register unexplained", async () => {
    const appraisal = await withLog([{ register: 1, digest: digest(9) }], digest(1));
    assert.equal(appraisal.verdict, "not-judged");
  });
  await t.test("one that measures into nothing", async () => {
    assert.equal((await withLog([])).verdict, "refused");
  });
  await t.test("one with registers that no TD has", async () => {
    const appraisal = await withLog([
      { register: 1, digest: digest(9) },
      { register: 7, digest: digest(9) },
    ]);
    assert.equal(appraisal.verdict, "not-judged");
  });
});

test("random logs are read with no error but our own", () => {
  const log = encodeEventLog(EVENTS);
  fc.assert(
    fc.property(fc.nat(log.length - 1), fc.nat(255), fc.nat(log.length), (at, value, length) => {
      const mutated = log.slice();
      mutated[at] = value;
      try {
        parseEventLog(mutated.subarray(0, length));
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 1000 },
  );
});
