// MRTD of firmware that others ship, against what virtee/tdx-measure states for it (tests/fixtures/*/expected.json,
// Apache-2.0). The file is OVMF.fd of Ubuntu's package ovmf 2025.02-3ubuntu2; HOLDFAST_OVMF says where it lies.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { toHex, webCrypto } from "../../packages/core/src/index.ts";
import { parseTdFirmware, tdxLaunchDigest } from "../../packages/evidence/src/index.ts";

const STATED = {
  sha256: "9e807cb2cd4313406a3aa4becc0836671a5c64ca7bdc08a45e15260184b446bf",
  mrtd: "7357a10d2e2724dffe68813e3cc4cfcde6814d749f2fb62e3953e54f6e0b50a219786afe2cd478f684b52c61837e1114",
};

const found = [process.env["HOLDFAST_OVMF"], "/usr/share/ovmf/OVMF.fd"]
  .filter((path) => path !== undefined && existsSync(path))
  .map((path) => new Uint8Array(readFileSync(path ?? "")))
  .find((bytes) => createHash("sha256").update(bytes).digest("hex") === STATED.sha256);
const FIRMWARE = {
  skip: found === undefined && "OVMF.fd of ovmf 2025.02-3ubuntu2 is neither installed nor named",
};

test("firmware of Ubuntu measures as another tool says", FIRMWARE, async () => {
  const firmware = found ?? new Uint8Array();
  assert.equal(toHex(await tdxLaunchDigest(firmware, webCrypto)), STATED.mrtd);
  const sections = parseTdFirmware(firmware);
  assert.deepEqual(
    sections.map(({ measured, later }) => [measured, later]),
    [[true, false], ...Array.from({ length: 5 }, () => [false, false])],
  );
});
