// The service's keys: made once, for the owner alone, rotated without leaving older keeps behind.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  basicConstraints,
  createCertificate,
  derWrite,
  encodeName,
  fromPem,
  isRequestSigned,
  keyUsage,
  type NewCertificate,
  parseCertificationRequest,
  systemClock,
  toPem,
  webCrypto,
} from "@holdfast/core";
import type { TrustError } from "../errors.ts";
import { type Authority, authorityRequest } from "./authority.ts";
import { Keys } from "./keys.ts";

const HOUR = 60 * 60 * 1000;

async function newFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-keys-"));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, "keys.json");
}

function coded(code: string, message = /./): (error: TrustError) => boolean {
  return (error) => error.code === code && message.test(error.message);
}

test("keys are made on first start and the same afterwards, for the owner alone", async (t) => {
  const file = await newFile(t);
  const first = await Keys.open(file, systemClock);
  const again = await Keys.open(file, systemClock);
  assert.equal(again.authority.sha256, first.authority.sha256);
  assert.equal((await again.resultKeys())[0].jwk.kid, (await first.resultKeys())[0].jwk.kid);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(file, "..")), ["keys.json"]);
});

test("the authority may issue leaves and nothing else", async (t) => {
  const { certificate } = (await Keys.open(await newFile(t), systemClock)).authority;
  assert.equal(certificate.isCa, true);
  assert.equal(certificate.pathLength, 0);
  assert.deepEqual([...(certificate.keyUsage ?? [])].toSorted(), ["cRLSign", "keyCertSign"]);
});

test("a result key is certified by the authority, and named by its thumbprint", async (t) => {
  const keys = await Keys.open(await newFile(t), systemClock);
  const [{ jwk }] = await keys.resultKeys();
  const [leaf, issuer] = jwk.x5c.map((each) => new X509Certificate(Buffer.from(each, "base64")));
  assert.ok(leaf?.checkIssued(issuer!));
  assert.ok(leaf?.verify(issuer!.publicKey));
  const { x, y } = leaf!.publicKey.export({ format: "jwk" });
  assert.deepEqual([x, y], [jwk.x, jwk.y]);
  assert.equal(jwk.kid.length, 43);
});

test("rotation brings a new authority and result key, and keeps the old authority", async (t) => {
  const file = await newFile(t);
  const keys = await Keys.open(file, systemClock);
  const [old, [oldResult]] = [keys.authority, await keys.resultKeys()];
  const fresh = await keys.rotate();
  assert.notEqual(fresh.sha256, old.sha256);
  for (const each of [keys, await Keys.open(file, systemClock)]) {
    assert.equal(each.authority.sha256, fresh.sha256);
    assert.equal(each.find(old.sha256)?.certificatePem, old.certificatePem);
    const [current, retired] = await each.resultKeys();
    assert.notEqual(current.jwk.kid, oldResult.jwk.kid);
    assert.equal(retired?.jwk.kid, oldResult.jwk.kid);
  }
});

test("a retired result key is published an hour longer, then not any more", async (t) => {
  const clock = { time: Date.now(), now: () => new Date(clock.time) };
  const keys = await Keys.open(await newFile(t), clock);
  await keys.rotate();
  clock.time += HOUR - 1;
  assert.equal((await keys.resultKeys()).length, 2);
  clock.time += 1;
  assert.equal((await keys.resultKeys()).length, 1);
});

test("the certificate of a result key is made anew in time", async (t) => {
  const clock = { time: Date.now(), now: () => new Date(clock.time) };
  const keys = await Keys.open(await newFile(t), clock);
  const [before] = await keys.resultKeys();
  clock.time += 31 * 24 * HOUR;
  const [after] = await keys.resultKeys();
  assert.equal(after.jwk.kid, before.jwk.kid);
  assert.notEqual(after.jwk.x5c[0], before.jwk.x5c[0]);
});

test("rotations at the same time come one after the other", async (t) => {
  const file = await newFile(t);
  const keys = await Keys.open(file, systemClock);
  await Promise.all([keys.rotate(), keys.rotate(), keys.rotate()]);
  assert.equal(keys.authorities.length, 4);
  assert.equal((await Keys.open(file, systemClock)).authorities.length, 4);
});

test("an authority is retired on request, but never the one in use", async (t) => {
  const keys = await Keys.open(await newFile(t), systemClock);
  const old = keys.authority;
  await assert.rejects(keys.retire(old.sha256), coded("AUTHORITY_IN_USE"));
  await keys.rotate();
  await keys.retire(old.sha256);
  assert.equal(keys.find(old.sha256), undefined);
  await assert.rejects(keys.retire(old.sha256), coded("AUTHORITY_UNKNOWN"));
});

const BROKEN: readonly (readonly [name: string, change: (text: string) => string])[] = [
  ["an empty file", () => ""],
  ["another shape", () => "{}"],
  ["no authority", (text) => JSON.stringify({ ...JSON.parse(text), authorities: [] })],
  ["a key that is none", (text) => text.replaceAll("PRIVATE KEY", "NO KEY")],
  ["a certificate that is none", (text) => text.replaceAll("BEGIN CERTIFICATE", "BEGIN")],
];

for (const [name, change] of BROKEN) {
  test(`refused, and left as it is: ${name}`, async (t) => {
    const file = await newFile(t);
    await Keys.open(file, systemClock);
    const broken = change(await readFile(file, "utf8"));
    await writeFile(file, broken);
    await assert.rejects(Keys.open(file, systemClock), coded("KEYS_UNUSABLE"));
    assert.equal(await readFile(file, "utf8"), broken);
  });
}

test("refused: keys that others may read", async (t) => {
  const file = await newFile(t);
  await Keys.open(file, systemClock);
  await chmod(file, 0o640);
  await assert.rejects(Keys.open(file, systemClock), coded("KEYS_UNUSABLE", /chmod 600/));
});

test("refused: the key of another certificate", async (t) => {
  const [file, other] = [await newFile(t), await newFile(t)];
  await Keys.open(file, systemClock);
  await Keys.open(other, systemClock);
  const [own, foreign] = [
    JSON.parse(await readFile(file, "utf8")),
    JSON.parse(await readFile(other, "utf8")),
  ];
  own.authorities[0].key_pem = foreign.authorities[0].key_pem;
  await writeFile(file, JSON.stringify(own));
  await assert.rejects(Keys.open(file, systemClock), coded("KEYS_UNUSABLE", /not that of/));
});

const outsideKey = generateKeyPairSync("ec", { namedCurve: "P-384" });
const OUTSIDE = encodeName({ CN: "outside root" });

/** A certificate by the outside authority, for a key of its own or for one of ours. */
async function outside(change: Partial<NewCertificate> = {}): Promise<string> {
  const der = await createCertificate(
    {
      serial: Uint8Array.of(1),
      issuer: OUTSIDE,
      subject: OUTSIDE,
      notBefore: new Date(Date.now() - HOUR),
      notAfter: new Date(Date.now() + 1000 * HOUR),
      spki: outsideKey.publicKey.export({ type: "spki", format: "der" }),
      extensions: [basicConstraints(true), keyUsage("keyCertSign")],
      algorithm: "ecdsa-sha384",
      ...change,
    },
    (tbs) => sign("sha384", tbs, outsideKey.privateKey),
  );
  return toPem("CERTIFICATE", der);
}

function forOurs(
  { certificate }: Authority,
  change: Partial<NewCertificate> = {},
): Promise<string> {
  return outside({
    subject: certificate.subject.der,
    spki: certificate.spki,
    extensions: [basicConstraints(true, 0), keyUsage("keyCertSign")],
    ...change,
  });
}

test("an outside authority certifies our key by our request", async (t) => {
  const file = await newFile(t);
  const keys = await Keys.open(file, systemClock);
  const own = keys.authority;
  const [der] = fromPem("CERTIFICATE REQUEST", await authorityRequest(own));
  const request = parseCertificationRequest(der!);
  assert.ok(await isRequestSigned(request, webCrypto));
  assert.deepEqual(request.spki, own.certificate.spki);
  const chain = (await forOurs(own)) + (await outside());
  await keys.adopt(chain);
  for (const each of [keys, await Keys.open(file, systemClock)]) {
    assert.equal(each.authority.chainPem, chain);
    // Keeps whose policies name the old certificate are not left behind.
    assert.equal(each.find(own.sha256)?.sha256, own.sha256);
  }
  await assert.rejects(keys.adopt(chain), coded("REQUEST_INVALID", /known already/));
});

test("an outside certificate that can't be used changes nothing", async (t) => {
  const keys = await Keys.open(await newFile(t), systemClock);
  const own = keys.authority;
  const root = await outside();
  const noCa = [basicConstraints(false), keyUsage("digitalSignature")];
  const critical = [
    ...[basicConstraints(true, 0), keyUsage("keyCertSign")],
    { oid: "1.2.3.4", critical: true, value: derWrite.boolean(true) },
  ];
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /PEM|CERTIFICATE/],
    [await forOurs(own), /missing/],
    [(await outside({ subject: own.certificate.subject.der })) + root, /not that of/],
    [(await forOurs(own, { extensions: noCa })) + root, /may not issue/],
    [(await forOurs(own, { notAfter: new Date(Date.now() - 1000) })) + root, /path\.validity/],
    [(await forOurs(own, { extensions: critical })) + root, /path\.critical/],
    [
      (await forOurs(own)) +
        (await outside({ extensions: [basicConstraints(true, 0), keyUsage("keyCertSign")] })),
      /path\.path-length/,
    ],
    [(await forOurs(own, { issuer: encodeName({ CN: "other" }) })) + root, /path\.names/],
    [(await forOurs(own)) + own.certificatePem, /path\.(names|signatures)/],
  ];
  for (const [chain, message] of cases) {
    await assert.rejects(keys.adopt(chain), coded("REQUEST_INVALID", message), String(message));
  }
  assert.equal(keys.authority.sha256, own.sha256);
});
