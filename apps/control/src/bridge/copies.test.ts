// Copies that nobody waits for: asked for twice, they are made once. That they copy is tested in test/interop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { S3StreamBody } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import pino from "pino";
import { Value } from "typebox/value";
import { Copies } from "./copies.ts";

const BODY: S3StreamBody = {
  s3: { bucket: "bucket", filename: "file" },
  veracruz: { filename: "/in", policy: "none", certificate: "c", key: "k" },
};

function newCopies(): Copies {
  const context = { store: { endpoint: "http://127.0.0.1:9" }, silenceMs: 100, clock: systemClock };
  return new Copies(context, pino({ level: "silent" }));
}

test("asked again with the same key it is the same copy, however its members are ordered", async () => {
  const copies = newCopies();
  const first = copies.start("blue", BODY, "key");
  const { s3, veracruz } = BODY;
  const turned = { veracruz, s3: { filename: s3.filename, bucket: s3.bucket } };
  assert.equal(copies.start("blue", turned, "key").id, first.id);
  await copies.wait("blue", first.id, 20);
  assert.equal(copies.start("blue", BODY, "key").state, "failed", "a retry hears what came of it");
  await copies.remove("blue", first.id);
  assert.notEqual(copies.start("blue", BODY, "key").id, first.id);
  await copies.stop();
});

test("copies without a key, with another, or of another namespace are others", async () => {
  const copies = newCopies();
  const keys = [
    ["blue", "key"],
    ["blue", "other"],
    ["green", "key"],
    ["blue", undefined],
    ["blue", undefined],
  ] as const;
  const ids = keys.map(([namespace, key]) => copies.start(namespace, BODY, key).id);
  assert.equal(new Set(ids).size, keys.length);
  await copies.stop();
});

test("refused: a key that was used for another copy", async () => {
  const copies = newCopies();
  copies.start("blue", BODY, "key");
  const other = { ...BODY, s3: { ...BODY.s3, filename: "other" } };
  assert.throws(() => copies.start("blue", other, "key"), { code: "IDEMPOTENCY_KEY_REUSED" });
  assert.equal(copies.list("blue").length, 1);
  await copies.stop();
});

test("refused: an object without a name, for which S3 would answer with the bucket's list", () => {
  assert.ok(Value.Check(S3StreamBody, BODY));
  for (const empty of [{ bucket: "" }, { filename: "" }]) {
    assert.equal(Value.Check(S3StreamBody, { ...BODY, s3: { ...BODY.s3, ...empty } }), false);
  }
});
