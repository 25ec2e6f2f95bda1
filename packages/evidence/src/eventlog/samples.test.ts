// Logs of real machines: what they replay to, alone and against the quote of their machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { NO_ENDORSEMENTS, verifyEventLog, verifyQuote } from "../index.ts";
import { vectorBytes, vectorEntries, WITH_VECTORS } from "../testing/vectors.ts";

const request = {
  at: new Date("2026-04-01T00:00:00Z"),
  crypto: webCrypto,
  endorsements: NO_ENDORSEMENTS,
};

for (const entry of vectorEntries("ccel-")) {
  test(`${entry.id} replays`, WITH_VECTORS, async () => {
    const appraisal = await verifyEventLog(vectorBytes(entry.files[0] ?? ""), request);
    assert.equal(appraisal.verdict, "not-judged");
    assert.deepEqual(appraisal.claims?.events, (entry as { events?: number }).events);
    for (const [name, value] of Object.entries(entry.claims ?? {})) {
      assert.equal(appraisal.claims?.[name as "rtmr0"], value, name);
    }
  });
}

for (const [log, failed] of [
  ["ccel/lunal-live.bin", []],
  ["ccel/lunal-live-mismatch.bin", ["event-log.3"]],
] as const) {
  test(`${log} against the quote of its machine`, WITH_VECTORS, async () => {
    const parts = [{ name: log, bytes: vectorBytes(log) }];
    const appraisal = await verifyQuote(vectorBytes("tdx/lunal-live.quote.bin"), {
      ...request,
      endorsements: { ...NO_ENDORSEMENTS, parts },
    });
    const logged = appraisal.checks.filter(({ name }) => name.startsWith("event-log."));
    assert.deepEqual(
      logged.map(({ name }) => name),
      ["event-log.format", "event-log.1", "event-log.2", "event-log.3"],
    );
    const refused = appraisal.checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      refused.map(({ name }) => name),
      failed,
    );
  });
}
