// Registers of a TD that starts a kernel directly: against the log of a real one, and what changes which.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { concat, toHex, webCrypto } from "@holdfast/core";
import { PE_OFFSET, peImage } from "@holdfast/testkit";
import fc from "fast-check";
import {
  EvidenceError,
  imageDigest,
  parseEventLog,
  replayEventLog,
  tdxBootRegisters,
} from "../index.ts";
import { vectorBytes, WITH_VECTORS } from "../testing/vectors.ts";
import { rtmr1Of } from "./td-boot.ts";

const sha = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha384").update(bytes).digest());

test("RTMR1 of a real TD, by the kernel's digest in its log", WITH_VECTORS, async () => {
  const log = parseEventLog(vectorBytes("ccel/lunal-live.bin"));
  const kernel = log.events.find(({ register, type }) => register === 2 && type === 0x80000003);
  const registers = await replayEventLog(log, "sha384", webCrypto);
  assert.equal(
    toHex(await rtmr1Of(kernel?.digests.get("sha384") ?? new Uint8Array(), webCrypto)),
    toHex(registers.get(2) ?? new Uint8Array()),
  );
});

test("RTMR2 holds the command line as the stub sees it, then the initrd", async () => {
  const kernel = peImage();
  const initrd = new Uint8Array(100).fill(3);
  const options = new Uint8Array(Buffer.from("console=ttyS0 initrd=initrd\0", "utf16le"));
  const { rtmr2 } = await tdxBootRegisters(
    { kernel, initrd, commandLine: "console=ttyS0" },
    webCrypto,
  );
  const first = sha(concat(new Uint8Array(48), sha(options)));
  assert.equal(toHex(rtmr2), toHex(sha(concat(first, sha(initrd)))));
  const alone = await tdxBootRegisters({ kernel, commandLine: "quiet" }, webCrypto);
  const quiet = new Uint8Array(Buffer.from("quiet\0", "utf16le"));
  assert.equal(toHex(alone.rtmr2), toHex(sha(concat(new Uint8Array(48), sha(quiet)))));
  const nothing = await tdxBootRegisters({ kernel }, webCrypto);
  assert.equal(toHex(nothing.rtmr2), "00".repeat(48));
});

test("the kernel is in RTMR1 alone", async () => {
  const one = await tdxBootRegisters({ kernel: peImage(), commandLine: "a" }, webCrypto);
  const kernel = peImage(Uint8Array.of(1));
  const other = await tdxBootRegisters({ kernel, commandLine: "a" }, webCrypto);
  assert.notEqual(toHex(one.rtmr1), toHex(other.rtmr1));
  assert.equal(toHex(one.rtmr2), toHex(other.rtmr2));
});

test("a command line that the firmware can't take is refused", async () => {
  for (const commandLine of ["a\0b", "ü", "x".repeat(70_000)]) {
    await assert.rejects(
      tdxBootRegisters({ kernel: peImage(), commandLine }, webCrypto),
      EvidenceError,
    );
  }
});

test("an image's digest is over all but checksum and certificates", async () => {
  const table = new Uint8Array(64).fill(9);
  const image = peImage(table);
  const view = new DataView(image.buffer);
  view.setUint32(PE_OFFSET.certificates, image.length - table.length, true);
  view.setUint32(PE_OFFSET.certificates + 4, table.length, true);
  const digest = async (bytes: Uint8Array) => toHex(await imageDigest(bytes, "SHA-256", webCrypto));
  const expected = await digest(image);
  assert.equal(expected, await digest(peImage()), "a signature changes nothing");
  const free = (at: number): boolean =>
    (at >= PE_OFFSET.checksum && at < PE_OFFSET.checksum + 4) ||
    (at >= PE_OFFSET.certificates && at < PE_OFFSET.certificates + 8) ||
    at >= image.length - table.length;
  for (let at = 0; at < image.length; at += 1) {
    const [low, high] = [PE_OFFSET.certificates + 4, PE_OFFSET.certificates + 8];
    if (at >= low && at < high) continue;
    const changed = image.with(at, (image[at] ?? 0) ^ 0x10);
    const said = await digest(changed).catch((thrown: unknown) => {
      assert.ok(thrown instanceof EvidenceError, String(thrown));
      return "refused";
    });
    assert.equal(said === expected, free(at), `byte ${at}`);
  }
});

test("random headers are read with no error but our own", async () => {
  const image = peImage();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(0x1f0),
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      async (at, part) => {
        const changed = image.slice();
        changed.set(part, at);
        await imageDigest(changed, "SHA-256", webCrypto).catch((thrown: unknown) => {
          assert.ok(thrown instanceof EvidenceError, String(thrown));
        });
      },
    ),
    { numRuns: 500 },
  );
});
