// Simulated evidence through the very verifier that judges the real one, over the wire that a keep uses.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import {
  type Clock,
  fixedClock,
  fromPem,
  parseCertificate,
  systemClock,
  unmet,
  webCrypto,
} from "@holdfast/core";
import { awsNitroRoot, type NitroRequest, verifyNitro } from "@holdfast/evidence";
import {
  type AttesterError,
  createSimulatedNsm,
  newSimulatedAuthority,
  nsmOverStream,
  openSimulatedAuthority,
  serveNsm,
  simulatedPcrs,
} from "../index.ts";

const AT = new Date("2026-06-01T10:00:00Z");
const IMAGE = new Uint8Array(48).fill(7);
const NONCE = new Uint8Array(32).fill(1);
const USER_DATA = new Uint8Array(32).fill(2);
const authority = await newSimulatedAuthority(fixedClock(AT));
const root = parseCertificate(fromPem("CERTIFICATE", authority.certificatePem)[0]!);

function newNsm(clock: Clock = fixedClock(AT)) {
  return createSimulatedNsm({
    authority,
    pcrs: simulatedPcrs(IMAGE),
    moduleId: "i-simulated-enc01",
    clock,
  });
}

function judge(evidence: Uint8Array, change: Partial<NitroRequest> = {}) {
  return verifyNitro(evidence, {
    anchors: [root],
    at: AT,
    crypto: webCrypto,
    nonce: NONCE,
    userData: USER_DATA,
    pcrs: new Map([[0, IMAGE]]),
    ...change,
  });
}

test("simulated evidence is affirmed under its configured root, and says simulated", async () => {
  const appraisal = await judge(await newNsm().attest({ nonce: NONCE, userData: USER_DATA }));
  assert.deepEqual(
    unmet(appraisal.checks).map(({ name }) => name),
    ["nitro.public-key"],
  );
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.platform, "simulated-nitro");
  assert.equal(appraisal.simulated, true);
  assert.equal(appraisal.debug, false);
  assert.equal(appraisal.claims?.pcrCount, 16);
});

test("simulated evidence is refused where only the AWS root is trusted", async () => {
  const appraisal = await judge(await newNsm().attest({ nonce: NONCE, userData: USER_DATA }), {
    anchors: [awsNitroRoot()],
  });
  assert.equal(appraisal.verdict, "refused");
  assert.equal(appraisal.platform, "unknown");
  assert.equal(appraisal.claims, undefined);
  assert.ok(unmet(appraisal.checks).some(({ name }) => name === "path.anchor"));
});

test("the leaf is renewed before it ends, and kept until then", async () => {
  let now = AT;
  const nsm = newNsm({ now: () => now });
  const leafEnd = async () =>
    (await judge(await nsm.attest({ nonce: NONCE, userData: USER_DATA }), { at: now })).validUntil;
  const first = await leafEnd();
  assert.deepEqual(await leafEnd(), first);
  now = new Date(AT.getTime() + 2.5 * 60 * 60 * 1000);
  assert.ok((await leafEnd())! > first!);
});

test("evidence travels over a stream, several requests at once", async () => {
  const [left, right] = duplexPair();
  const served = serveNsm(left, newNsm());
  const attester = nsmOverStream(right);
  const nonces = [3, 4, 5].map((fill) => new Uint8Array(32).fill(fill));
  const documents = await Promise.all(
    nonces.map((nonce) => attester.attest({ nonce, userData: USER_DATA })),
  );
  for (const [index, document] of documents.entries()) {
    assert.equal((await judge(document, { nonce: nonces[index]! })).verdict, "affirmed");
  }
  right.end();
  await served;
});

test("what the module refuses reaches the attester as a refusal", async () => {
  const [left, right] = duplexPair();
  const faults: string[] = [];
  const failing = { attest: () => Promise.reject(new Error("no key")) };
  void serveNsm(left, failing, (message) => faults.push(message));
  await assert.rejects(
    nsmOverStream(right).attest({ nonce: NONCE }),
    (error: AttesterError) =>
      error.code === "ATTESTER_REFUSED" && /InternalError/.test(error.message),
  );
  assert.deepEqual(faults, ["no key"]);
});

test("a nonce over the module's bound is refused before it is sent", async () => {
  const [, right] = duplexPair();
  await assert.rejects(
    nsmOverStream(right).attest({ nonce: new Uint8Array(513) }),
    (error: AttesterError) => error.code === "ATTESTER_INPUT",
  );
});

test("a frame over the bound ends the stream on both sides", async () => {
  const faults: string[] = [];
  const [left, right] = duplexPair();
  const served = serveNsm(left, newNsm(), (message) => faults.push(message));
  right.write(Uint8Array.of(0x7f, 0xff, 0xff, 0xff));
  await served;
  assert.match(faults[0] ?? "", /message of 2147483647 bytes, at most 4096/);

  const [keepEnd, hostEnd] = duplexPair();
  const answer = nsmOverStream(keepEnd).attest({ nonce: NONCE });
  hostEnd.write(Uint8Array.of(0, 0xff, 0xff, 0xff));
  await assert.rejects(answer, (error: AttesterError) => error.code === "ATTESTER_PROTOCOL");
});

test("a request that is not the module's is answered with InvalidArgument", async () => {
  const [left, right] = duplexPair();
  void serveNsm(left, newNsm());
  right.write(Uint8Array.of(0, 0, 0, 1, 0xa0));
  const [answer] = await right.take(1).toArray();
  assert.match(Buffer.from(answer).toString("latin1"), /Error.*InvalidArgument/);
});

test("a stream that ends, or is silent, fails the request and the ones after it", async () => {
  const [left, right] = duplexPair();
  const attester = nsmOverStream(right);
  const first = attester.attest({ nonce: NONCE });
  left.end();
  await assert.rejects(first, (error: AttesterError) => error.code === "ATTESTER_UNREACHABLE");
  await assert.rejects(
    attester.attest({ nonce: NONCE }),
    (error: AttesterError) => error.code === "ATTESTER_UNREACHABLE",
  );
  const [, silent] = duplexPair();
  await assert.rejects(
    nsmOverStream(silent, { timeoutMs: 1 }).attest({ nonce: NONCE }),
    (error: AttesterError) => error.code === "ATTESTER_UNREACHABLE",
  );
});

test("a simulated root is made once in its directory, its key for the owner alone", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-root-"));
  t.after(() => rm(directory, { recursive: true }));
  const opened = await Promise.all(
    Array.from({ length: 4 }, () => openSimulatedAuthority(directory, systemClock)),
  );
  assert.equal(new Set(opened.map(({ certificatePem }) => certificatePem)).size, 1);
  assert.deepEqual((await readdir(directory)).toSorted(), ["root.key", "root.pem"]);
  assert.equal((await stat(join(directory, "root.key"))).mode & 0o777, 0o600);
  assert.match(await readFile(join(directory, "root.pem"), "utf8"), /BEGIN CERTIFICATE/);
});

test("a simulated root whose files don't belong together is refused", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-root-"));
  t.after(() => rm(directory, { recursive: true }));
  await openSimulatedAuthority(directory, systemClock);
  await writeFile(join(directory, "root.pem"), authority.certificatePem);
  await assert.rejects(
    openSimulatedAuthority(directory, systemClock),
    (error: AttesterError) => error.code === "ATTESTER_AUTHORITY",
  );
});
