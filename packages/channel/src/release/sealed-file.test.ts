// Sealed files: opened whatever the parts they come in, and never when a byte of them is another.
import assert from "node:assert/strict";
import { createDecipheriv, randomBytes } from "node:crypto";
import { test } from "node:test";
import { concat } from "@holdfast/core";
import fc from "fast-check";
import { SealError } from "./errors.ts";
import { openSealed, SEALED_OVERHEAD, sealFile } from "./sealed-file.ts";

const KEY = Uint8Array.from(randomBytes(32));

async function* inParts(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function seal(plain: Uint8Array, length = 7, key = KEY): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of sealFile(key, inParts(plain, length))) parts.push(Uint8Array.from(part));
  return concat(...parts);
}

function open(
  sealed: Uint8Array,
  options: { length?: number; size?: number; key?: Uint8Array } = {},
) {
  const { length = 5, size = sealed.length, key = KEY } = options;
  const parts: Uint8Array[] = [];
  const file = openSealed({ key, size, take: (part) => parts.push(Uint8Array.from(part)) });
  for (let at = 0; at < sealed.length; at += length) file.write(sealed.subarray(at, at + length));
  file.end();
  return concat(...parts);
}

const PLAIN = Uint8Array.from(randomBytes(100));

test("what is sealed is opened, whatever the parts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      async (plain, ins, outs) => {
        const sealed = await seal(plain, ins);
        assert.equal(sealed.length, plain.length + SEALED_OVERHEAD);
        assert.deepEqual(open(sealed, { length: outs }), plain);
      },
    ),
    { numRuns: 100 },
  );
});

test("the format is the documented one", async () => {
  const sealed = await seal(PLAIN);
  assert.equal(Buffer.from(sealed.subarray(0, 8)).toString(), "HFSEAL1\n");
  const decipher = createDecipheriv("aes-256-gcm", KEY, sealed.subarray(8, 20));
  decipher.setAAD(sealed.subarray(0, 8)).setAuthTag(sealed.subarray(-16));
  const plain = concat(decipher.update(sealed.subarray(20, -16)), decipher.final());
  assert.deepEqual(plain, PLAIN);
  assert.notDeepEqual(await seal(PLAIN), sealed, "a nonce of its own each time");
});

test("not opened: a file of which any byte is another", async () => {
  const sealed = await seal(PLAIN);
  for (const at of sealed.keys()) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => open(changed), isInvalid, `byte ${at}`);
  }
});

test("not opened: a file that is shorter, longer, or another's", async () => {
  const sealed = await seal(PLAIN);
  for (const at of [0, 1, 8, 20, SEALED_OVERHEAD, sealed.length - 1]) {
    assert.throws(() => open(sealed.subarray(0, at), { size: sealed.length }), isInvalid);
    assert.throws(() => open(sealed.subarray(0, at)), isInvalid);
  }
  assert.throws(() => open(concat(sealed, PLAIN), { size: sealed.length }), isInvalid);
  assert.throws(() => open(concat(sealed, PLAIN)), isInvalid);
  assert.throws(() => open(sealed, { key: Uint8Array.from(randomBytes(32)) }), isInvalid);
});

function isInvalid(thrown: unknown): boolean {
  return thrown instanceof SealError && thrown.code === "SEAL_INVALID";
}
