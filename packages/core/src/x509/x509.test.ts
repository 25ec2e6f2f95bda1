// Certificates against Node's own reader as the oracle, and one negative path for each check.
import assert from "node:assert/strict";
import { constants, generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { bitString, der, explicit, oid, sequence, unsignedInteger } from "../der/write.ts";
import {
  basicConstraints,
  type Certificate,
  CertificateError,
  createCertificate,
  createCertificationRequest,
  createRevocationList,
  encodeName,
  isRequestSigned,
  keyUsage,
  type NewCertificate,
  PATH_CHECKS,
  parseCertificate,
  parseCertificationRequest,
  parseRevocationList,
  toHex,
  unmet,
  verifyPath,
  webCrypto,
} from "../index.ts";

interface Party {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

const AT = new Date("2026-06-01T00:00:00Z");
const NOT_BEFORE = new Date("2026-01-01T00:00:00Z");
const NOT_AFTER = new Date("2027-01-01T00:00:00Z");
let serial = 0;

async function issue(
  commonName: string,
  issuer: Party | undefined,
  change: Partial<NewCertificate> = {},
  isCa = false,
): Promise<Party> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = encodeName({ CN: commonName, O: "Test" });
  serial += 1;
  const certificate = await createCertificate(
    {
      serial: Uint8Array.of(1, serial),
      issuer: issuer?.certificate.subject.der ?? subject,
      subject,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: isCa
        ? [basicConstraints(true), keyUsage("keyCertSign", "cRLSign")]
        : [basicConstraints(false), keyUsage("digitalSignature")],
      algorithm: "ecdsa-sha256",
      ...change,
    },
    (tbs) => sign("sha256", tbs, issuer?.privateKey ?? privateKey),
  );
  return { certificate: parseCertificate(certificate), privateKey };
}

async function failing(chain: Certificate[], anchor: Certificate, change = {}): Promise<string[]> {
  const checks = await verifyPath({
    chain,
    anchors: [anchor],
    at: AT,
    crypto: webCrypto,
    ...change,
  });
  return unmet(checks).map(({ name }) => name);
}

async function revocationList(issuer: Party, revoked: string[], nextUpdate = NOT_AFTER) {
  const list = await createRevocationList(
    {
      issuer: issuer.certificate.subject.der,
      thisUpdate: NOT_BEFORE,
      nextUpdate,
      revoked: revoked.map((number) => ({ serial: Uint8Array.fromHex(number), at: NOT_BEFORE })),
      algorithm: "ecdsa-sha256",
    },
    (tbs) => sign("sha256", tbs, issuer.privateKey),
  );
  return parseRevocationList(list);
}

test("a certificate reads the same here and in Node", async () => {
  const root = await issue("root", undefined, {}, true);
  const { certificate } = await issue("leaf", root);
  const oracle = new X509Certificate(certificate.der);
  assert.equal(oracle.subject, "CN=leaf\nO=Test");
  assert.equal(certificate.subject.text, "CN=leaf, O=Test");
  assert.equal(oracle.serialNumber.toLowerCase(), certificate.serial);
  assert.equal(new Date(oracle.validTo).getTime(), certificate.notAfter.getTime());
  assert.deepEqual(
    oracle.publicKey.export({ type: "spki", format: "der" }),
    Buffer.from(certificate.spki),
  );
  assert.ok(oracle.verify(new X509Certificate(root.certificate.der).publicKey));
  assert.equal(new X509Certificate(root.certificate.der).ca, true);
});

test("a request carries its extensions and its signature", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = await createCertificationRequest(
    {
      subject: encodeName({ CN: "keep" }),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: [{ oid: "2.25.7", value: Uint8Array.of(1, 2, 3) }],
      algorithm: "ecdsa-sha256",
    },
    (tbs) => sign("sha256", tbs, privateKey),
  );
  const request = parseCertificationRequest(der);
  assert.deepEqual(request.extensions.get("2.25.7")?.value, Uint8Array.of(1, 2, 3));
  assert.equal(await isRequestSigned(request, webCrypto), true);
  const altered = der.slice();
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  assert.equal(await isRequestSigned(parseCertificationRequest(altered), webCrypto), false);
});

test("a path verifies, with the anchor in it or left out", async () => {
  const root = await issue("root", undefined, {}, true);
  const middle = await issue("middle", root, {}, true);
  const leaf = await issue("leaf", middle);
  const anchor = root.certificate;
  assert.deepEqual(await failing([leaf.certificate, middle.certificate, anchor], anchor), []);
  assert.deepEqual(await failing([leaf.certificate, middle.certificate], anchor), []);
});

test("a path gets every check that is named for it, in order", async () => {
  const root = await issue("root", undefined, {}, true);
  const leaf = await issue("leaf", root);
  const checks = await verifyPath({
    chain: [leaf.certificate],
    anchors: [root.certificate],
    at: AT,
    crypto: webCrypto,
  });
  assert.deepEqual(
    checks.map(({ name }) => name),
    PATH_CHECKS,
  );
});

test("a path fails by the check that its fault belongs to", async (t) => {
  const root = await issue("root", undefined, {}, true);
  const anchor = root.certificate;
  const middle = await issue("middle", root, {}, true);
  const leaf = (await issue("leaf", middle)).certificate;
  const path = [leaf, middle.certificate];

  await t.test("empty", async () => {
    assert.deepEqual(await failing([], anchor), ["path.length"]);
  });
  await t.test("another root of the same name", async () => {
    const other = await issue("root", undefined, {}, true);
    assert.deepEqual(await failing([...path, other.certificate], anchor), ["path.signatures"]);
  });
  await t.test("no trusted root", async () => {
    const other = await issue("another root", undefined, {}, true);
    assert.deepEqual(await failing(path, other.certificate), ["path.anchor"]);
  });
  await t.test("issuer name", async () => {
    const odd = await issue("leaf", middle, { issuer: encodeName({ CN: "someone" }) });
    assert.deepEqual(await failing([odd.certificate, middle.certificate], anchor), ["path.names"]);
  });
  await t.test("signature", async () => {
    const bytes = leaf.der.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    assert.deepEqual(await failing([parseCertificate(bytes), middle.certificate], anchor), [
      "path.signatures",
    ]);
  });
  await t.test("expired and not yet valid", async () => {
    const old = await issue("leaf", middle, { notAfter: new Date("2026-05-31T23:59:59Z") });
    assert.deepEqual(await failing([old.certificate, middle.certificate], anchor), [
      "path.validity",
    ]);
    assert.deepEqual(await failing(path, anchor, { at: new Date("2025-12-31T23:59:59Z") }), [
      "path.validity",
    ]);
  });
  await t.test("issuer that is no CA", async () => {
    const plain = await issue("plain", root, { extensions: [keyUsage("keyCertSign")] });
    const below = await issue("leaf", plain);
    assert.deepEqual(await failing([below.certificate, plain.certificate], anchor), ["path.ca"]);
  });
  await t.test("leaf that is a CA", async () => {
    assert.deepEqual(await failing([middle.certificate], anchor), ["path.ca"]);
    assert.deepEqual(await failing([middle.certificate], anchor, { leafMayBeCa: true }), []);
  });
  await t.test("issuer without keyCertSign", async () => {
    const plain = await issue("plain", root, {
      extensions: [basicConstraints(true), keyUsage("cRLSign")],
    });
    const below = await issue("leaf", plain);
    assert.deepEqual(await failing([below.certificate, plain.certificate], anchor), [
      "path.key-usage",
    ]);
  });
  await t.test("leaf of another use", async () => {
    const odd = await issue("leaf", root, { extensions: [keyUsage("keyEncipherment")] });
    assert.deepEqual(await failing([odd.certificate], anchor), ["path.key-usage"]);
    assert.deepEqual(
      await failing([odd.certificate], anchor, { leafUsage: "keyEncipherment" }),
      [],
    );
  });
  await t.test("path length", async () => {
    const top = await issue("top", undefined, {
      extensions: [basicConstraints(true, 0), keyUsage("keyCertSign")],
    });
    const low = await issue("low", top, {}, true);
    const below = await issue("leaf", low);
    assert.deepEqual(await failing([below.certificate, low.certificate], top.certificate), [
      "path.path-length",
    ]);
  });
  await t.test("unknown critical extension", async () => {
    const extension = { oid: "2.25.9", critical: true, value: Uint8Array.of(5, 0) };
    const odd = await issue("leaf", root, {
      extensions: [keyUsage("digitalSignature"), extension],
    });
    assert.deepEqual(await failing([odd.certificate], anchor), ["path.critical-extensions"]);
    assert.deepEqual(await failing([odd.certificate], anchor, { knownExtensions: ["2.25.9"] }), []);
  });
});

test("key usage may be written with trailing zero bits, as AMD does", async () => {
  const root = await issue("root", undefined, {
    extensions: [basicConstraints(true), { ...keyUsage(), value: Uint8Array.of(3, 2, 0, 4) }],
  });
  assert.deepEqual([...(root.certificate.keyUsage ?? [])], ["keyCertSign"]);
});

test("RSASSA-PSS certificates verify", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 };
  const name = encodeName({ CN: "pss" });
  const der = await createCertificate(
    {
      serial: Uint8Array.of(1),
      issuer: name,
      subject: name,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: [basicConstraints(true), keyUsage("keyCertSign")],
      algorithm: "rsa-pss-sha384",
    },
    (tbs) => sign("sha384", tbs, pss),
  );
  assert.ok(new X509Certificate(der).verify(publicKey));
  const root = parseCertificate(der);
  assert.deepEqual(root.algorithm, { kind: "rsa-pss", hash: "SHA-384", saltLength: 48 });
  assert.deepEqual(await failing([root], root), []);
  const below = await issue("leaf", { certificate: root, privateKey }, { algorithm: "rsa-sha256" });
  assert.deepEqual(await failing([below.certificate], root), []);
});

test("revocation is checked when lists are part of the request", async (t) => {
  const root = await issue("root", undefined, {}, true);
  const { certificate } = await issue("leaf", root);
  const verify = async (...lists: Awaited<ReturnType<typeof revocationList>>[]) =>
    failing([certificate], root.certificate, { revocationLists: lists });
  await t.test("not revoked", async () => {
    assert.deepEqual(await verify(await revocationList(root, ["0700"])), []);
  });
  await t.test("revoked", async () => {
    assert.deepEqual(await verify(await revocationList(root, [certificate.serial])), [
      "path.revocation",
    ]);
  });
  await t.test("list missing", async () => {
    assert.deepEqual(await verify(), ["path.revocation"]);
  });
  await t.test("list expired", async () => {
    assert.deepEqual(
      await verify(await revocationList(root, [], new Date("2026-02-01T00:00:00Z"))),
      ["path.revocation"],
    );
  });
  await t.test("list signed by another of the same name", async () => {
    const other = await issue("root", undefined, {}, true);
    assert.deepEqual(await verify(await revocationList(other, [])), ["path.revocation"]);
  });
});

test("a list is refused when what is signed names another algorithm", async () => {
  const root = await issue("root", undefined, {}, true);
  const { der: list } = await revocationList(root, []);
  // The last arc of ecdsa-with-SHA256 beside the signed part becomes that of ecdsa-with-SHA384.
  const outer = Buffer.from(list).lastIndexOf(Buffer.from("06082a8648ce3d040302", "hex"));
  const changed = list.slice();
  changed[outer + 9] = 3;
  assert.throws(() => parseRevocationList(changed), {
    code: "CERTIFICATE_MALFORMED",
    message: /the two signature algorithms differ/,
  });
});

test("a certificate is refused when it is not DER to the byte", async (t) => {
  const { certificate } = await issue("leaf", undefined);
  const refused = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => parseCertificate(bytes), { code: "CERTIFICATE_MALFORMED", message });
  await t.test("trailing byte", () => refused(Uint8Array.of(...certificate.der, 0), /bytes after/));
  await t.test("cut short", () => refused(certificate.der.subarray(0, -1), /reaches past/));
  await t.test("empty", () => refused(new Uint8Array(), /ends before/));
  await t.test("version 2", () => {
    const tbs = sequence(explicit(0, unsignedInteger(Uint8Array.of(1))));
    const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
    refused(sequence(tbs, algorithm, bitString(new Uint8Array())), /version 2/);
  });
  await t.test("unknown signature algorithm", () => {
    const bytes = sequence(
      sequence(),
      sequence(oid("1.2.840.113549.1.1.5"), der(5)),
      bitString(new Uint8Array()),
    );
    assert.throws(() => parseCertificate(bytes), { code: "CERTIFICATE_UNSUPPORTED" });
  });
});

test("no bytes make the reader throw anything but its own error", async () => {
  const { certificate } = await issue("leaf", undefined);
  const mutated = fc
    .array(fc.tuple(fc.nat(certificate.der.length - 1), fc.nat(255)), { maxLength: 4 })
    .map((changes) => {
      const bytes = certificate.der.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        parseCertificate(bytes);
      } catch (thrown) {
        assert.ok(thrown instanceof CertificateError, String(thrown));
      }
    }),
    { numRuns: 3000 },
  );
});

test("a certificate read again is the same, whatever becomes of the bytes it was read from", async () => {
  const { certificate } = await issue("leaf", undefined);
  const buffer = certificate.der.slice();
  const first = parseCertificate(buffer);
  assert.equal(parseCertificate(certificate.der), first);
  const original = toHex(first.der);
  buffer.fill(0);
  assert.equal(toHex(first.der), original);
  assert.equal(toHex(parseCertificate(certificate.der).spki), toHex(certificate.spki));
  assert.throws(() => parseCertificate(buffer), { code: "CERTIFICATE_MALFORMED" });
});
