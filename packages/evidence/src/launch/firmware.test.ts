// What goes into a launch digest changes it; firmware that contradicts itself is refused.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { toHex, webCrypto } from "@holdfast/core";
import { encodeFirmware, type FirmwareFields } from "@holdfast/testkit";
import fc from "fast-check";
import {
  EvidenceError,
  type LaunchedGuestWithProcessors,
  parseSevFirmware,
  sevEsLaunchDigest,
  sevLaunchDigest,
  snpLaunchDigest,
} from "../index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const GUEST: LaunchedGuestWithProcessors = {
  firmware: encodeFirmware(),
  started: { kernel: bytes("kernel"), initrd: bytes("initrd"), commandLine: "quiet" },
  processors: 2,
  start: { hypervisor: "qemu", signature: 0xa00f11, features: 1n },
};

test("firmware is read from its end", () => {
  const firmware = parseSevFirmware(encodeFirmware({ pages: 3 }));
  assert.equal(firmware.gpa, 2 ** 32 - 3 * 4096);
  assert.equal(firmware.resetEip, 0x80b004);
  assert.equal(firmware.hashTableGpa, 0x810c00);
  assert.deepEqual(
    firmware.sections.map(({ kind }) => kind),
    ["memory", "secrets", "cpuid", "svsm-caa", "kernel-hashes"],
  );
});

test("every input changes the digest", async () => {
  const started = { kernel: bytes("kernel"), initrd: bytes("initrd"), commandLine: "quiet" };
  const { started: _, ...bare } = GUEST;
  const guests: Record<string, LaunchedGuestWithProcessors> = {
    base: GUEST,
    firmware: { ...GUEST, firmware: encodeFirmware({ fill: 0x91 }) },
    kernel: { ...GUEST, started: { ...started, kernel: bytes("other") } },
    initrd: { ...GUEST, started: { ...started, initrd: bytes("other") } },
    "no initrd": { ...GUEST, started: { kernel: started.kernel, commandLine: "quiet" } },
    "command line": { ...GUEST, started: { ...started, commandLine: "debug" } },
    "nothing started": bare,
    processors: { ...GUEST, processors: 3 },
    processor: { ...GUEST, start: { ...GUEST.start, signature: 0x800f12 } },
    hypervisor: { ...GUEST, start: { ...GUEST.start, hypervisor: "ec2" } },
    features: { ...GUEST, start: { ...GUEST.start, features: 0x21n } },
    "reset address": { ...GUEST, firmware: encodeFirmware({ resetEip: 0x80b005 }) },
    "hash table": { ...GUEST, firmware: encodeFirmware({ hashTableGpa: 0x810d00 }) },
  };
  const snp = new Map<string, string>();
  const es = new Map<string, string>();
  for (const [name, guest] of Object.entries(guests)) {
    snp.set(name, toHex(await snpLaunchDigest(guest, webCrypto)));
    es.set(name, toHex(await sevEsLaunchDigest(guest, webCrypto)));
  }
  assert.equal(new Set(snp.values()).size, snp.size);
  // SEV-ES has no features, and where the table lies is in the firmware's own bytes.
  assert.equal(es.get("features"), es.get("base"));
  assert.equal(new Set(es.values()).size, es.size - 1);
});

test("SEV measures the firmware and the table, nothing else", async () => {
  const firmware = encodeFirmware();
  const alone = createHash("sha256").update(firmware).digest("hex");
  assert.equal(toHex(await sevLaunchDigest({ firmware }, webCrypto)), alone);
});

test("the digest after the firmware can be given instead of hashing it", async () => {
  const whole = await snpLaunchDigest(GUEST, webCrypto);
  const other = await snpLaunchDigest(GUEST, webCrypto, new Uint8Array(48));
  assert.notEqual(toHex(whole), toHex(other));
});

test("a kernel that the firmware would not check is refused", async () => {
  const firmware = encodeFirmware({ without: ["hashes"], sections: [[0x80e000, 0x1000, 3]] });
  const guest = { ...GUEST, firmware };
  for (const digest of [snpLaunchDigest, sevEsLaunchDigest, sevLaunchDigest]) {
    await assert.rejects(digest(guest, webCrypto), /does not check the hashes/);
  }
  const edge = { ...GUEST, firmware: encodeFirmware({ hashTableGpa: 0x810fff }) };
  await assert.rejects(snpLaunchDigest(edge, webCrypto), /does not fit/);
});

test("firmware that contradicts itself is refused", async () => {
  const refused: readonly (readonly [FirmwareFields, RegExp])[] = [
    [{ without: ["reset"] }, /no SEV-ES reset block/],
    [{ signature: "ASEX" }, /without its signature/],
    [{ version: 2 }, /version 2/],
    [{ sections: [[0x800000, 0x1000, 9]] }, /section of type 9/],
    [{ sections: [[0x800001, 0x1000, 1]] }, /part pages/],
    [{ sections: [[0x800000, 0x1001, 1]] }, /part pages/],
  ];
  for (const [fields, message] of refused) {
    assert.throws(() => parseSevFirmware(encodeFirmware(fields)), message);
  }
  assert.deepEqual(parseSevFirmware(encodeFirmware({ without: ["metadata"] })).sections, []);
  for (const processors of [0, 1.5, 513]) {
    await assert.rejects(snpLaunchDigest({ ...GUEST, processors }, webCrypto), /processors/);
  }
});

test("random firmware is read with no error but our own", () => {
  const image = encodeFirmware();
  const places = fc.array(fc.tuple(fc.integer({ min: 3000, max: 4095 }), fc.nat(255)), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(places, (changes) => {
      const mutated = image.slice();
      for (const [at, value] of changes) mutated[at] = value;
      try {
        parseSevFirmware(mutated);
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 1000 },
  );
});
