// The authority: made once, its key for the owner alone, refused when its files don't fit.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { newIdentity } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import type { TrustError } from "../errors.ts";
import { openAuthority } from "./authority.ts";

async function newDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-authority-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function unusable(error: TrustError): boolean {
  return error.code === "AUTHORITY_UNUSABLE";
}

test("the authority is made on first start and the same afterwards", async (t) => {
  const directory = await newDirectory(t);
  const opened = await Promise.all(
    Array.from({ length: 3 }, () => openAuthority(directory, systemClock)),
  );
  const again = await openAuthority(directory, systemClock);
  for (const { certificatePem } of opened) assert.equal(certificatePem, again.certificatePem);
  assert.deepEqual((await readdir(directory)).toSorted(), ["authority.key", "authority.pem"]);
  assert.equal((await stat(join(directory, "authority.key"))).mode & 0o777, 0o600);
});

test("the authority may issue leaves and nothing else", async (t) => {
  const { certificate } = await openAuthority(await newDirectory(t), systemClock);
  assert.equal(certificate.isCa, true);
  assert.equal(certificate.pathLength, 0);
  assert.deepEqual([...(certificate.keyUsage ?? [])].toSorted(), ["cRLSign", "keyCertSign"]);
});

test("a key of another certificate is refused", async (t) => {
  const [own, other] = [await newDirectory(t), await newDirectory(t)];
  await openAuthority(own, systemClock);
  const { certificatePem } = await openAuthority(other, systemClock);
  await writeFile(join(own, "authority.pem"), certificatePem);
  await assert.rejects(openAuthority(own, systemClock), unusable);
});

test("a certificate that is no CA is refused", async (t) => {
  const directory = await newDirectory(t);
  const { certificatePem, keyPem } = await newIdentity({ commonName: "x", clock: systemClock });
  await writeFile(join(directory, "authority.pem"), certificatePem);
  await writeFile(join(directory, "authority.key"), keyPem);
  await assert.rejects(openAuthority(directory, systemClock), unusable);
});

test("an empty key file is refused, not replaced", async (t) => {
  const directory = await newDirectory(t);
  await writeFile(join(directory, "authority.key"), "");
  await assert.rejects(openAuthority(directory, systemClock), unusable);
});
