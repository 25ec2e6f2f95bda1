// The chain of a real platform, and chains of our own with one thing wrong each.
import assert from "node:assert/strict";
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import { concat, webCrypto } from "@holdfast/core";
import fc from "fast-check";
import { EvidenceError } from "../index.ts";
import { vectorBytes, WITH_VECTORS } from "../testing/vectors.ts";
import { parseSevAuthority, parseSevCertificate, type SevUsage } from "./certificates.ts";
import { SEV_CHAIN_CHECKS, type SevChain, verifySevChain } from "./chain.ts";

const NAMES = ["cek", "oca", "pek", "pdh"] as const;

async function failures(chain: SevChain, anchors = [chain.ark.key]): Promise<string[]> {
  const checks = await verifySevChain(chain, anchors, webCrypto);
  assert.deepEqual(
    checks.map(({ name }) => name),
    [...SEV_CHAIN_CHECKS],
  );
  return checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
}

test("sev-chain-naples: every link holds", WITH_VECTORS, async () => {
  const file = (name: string) => vectorBytes(`sev/naples/${name}.cert`);
  const [cek, oca, pek, pdh] = NAMES.map((name) => parseSevCertificate(file(name)));
  assert.ok(cek && oca && pek && pdh);
  const chain = {
    ark: parseSevAuthority(file("ark")),
    ask: parseSevAuthority(file("ask")),
    cek,
    oca,
    pek,
    pdh,
  };
  assert.deepEqual(await failures(chain), []);
  assert.deepEqual(await failures(chain, []), ["sev.anchor"]);
  assert.throws(() => parseSevAuthority(vectorBytes("sev/naples/ark.cert.bad")), {
    code: "EVIDENCE_MALFORMED",
  });
});

const USAGE: Readonly<Record<SevUsage, number>> = {
  ark: 0,
  ask: 19,
  oca: 4097,
  pek: 4098,
  pdh: 4099,
  cek: 4100,
};
const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = () => generateKeyPairSync("ec", { namedCurve: "P-384" });
const KEYS = { ark: rsa(), ask: rsa(), cek: ec(), oca: ec(), pek: ec(), pdh: ec() };
type Name = keyof typeof KEYS;

interface Changes {
  readonly usage?: Partial<Record<Name, SevUsage>>;
  /** Who signs whom instead. */
  readonly signer?: Partial<Record<Name, readonly Name[]>>;
  readonly flip?: Partial<Record<Name, number>>;
}

function newChain(changes: Changes = {}): SevChain {
  const signers = (name: Name, usual: readonly Name[]) => changes.signer?.[name] ?? usual;
  const changed = (name: Name, bytes: Uint8Array) => {
    const at = changes.flip?.[name];
    return at === undefined ? bytes : bytes.with(at, (bytes[at] ?? 0) ^ 1);
  };
  const authority = (name: "ark" | "ask") =>
    parseSevAuthority(
      changed(
        name,
        encodeAuthority(name, signers(name, ["ark"])[0] ?? "ark", changes.usage?.[name]),
      ),
    );
  const certificate = (name: Name, usual: readonly Name[]) =>
    parseSevCertificate(
      changed(name, encodeCertificate(name, signers(name, usual), changes.usage?.[name])),
    );
  return {
    ark: authority("ark"),
    ask: authority("ask"),
    cek: certificate("cek", ["ask"]),
    oca: certificate("oca", ["oca"]),
    pek: certificate("pek", ["cek", "oca"]),
    pdh: certificate("pdh", ["pek"]),
  };
}

test("a chain that is in order verifies, and each link fails by its own check", async (t) => {
  assert.deepEqual(await failures(newChain()), []);
  const cases: readonly (readonly [string, readonly string[], Changes])[] = [
    ["ARK signed by another", ["sev.ark"], { signer: { ark: ["ask"] } }],
    ["ASK signed by itself", ["sev.ask"], { signer: { ask: ["ask"] } }],
    ["CEK signed by the root", ["sev.cek"], { signer: { cek: ["ark"] } }],
    ["OCA signed by another", ["sev.oca"], { signer: { oca: ["pek"] } }],
    ["PEK without the chip's signature", ["sev.pek"], { signer: { pek: ["oca"] } }],
    ["PEK without the owner's signature", ["sev.pek"], { signer: { pek: ["cek"] } }],
    ["PDH signed by the chip", ["sev.pdh"], { signer: { pdh: ["cek"] } }],
    ["PDH in the place of the PEK", ["sev.usages"], { usage: { pek: "pdh" } }],
    ["a bit of the PDH's key", ["sev.pdh"], { flip: { pdh: 30 } }],
    ["a bit of the CEK's signature", ["sev.cek"], { flip: { cek: 1052 } }],
    ["bytes after the CEK's signature", ["sev.cek"], { flip: { cek: 1052 + 300 } }],
    ["bytes after a half of the PDH's signature", ["sev.pdh"], { flip: { pdh: 1052 + 50 } }],
  ];
  for (const [name, fails, changes] of cases) {
    await t.test(name, async () => {
      assert.deepEqual(await failures(newChain(changes)), fails);
    });
  }
});

test("certificates are refused for their fault", () => {
  const good = encodeCertificate("pdh", ["pek"]);
  const changed = (at: number, value: number) => good.with(at, value);
  for (const bytes of [
    good.subarray(1),
    changed(0, 2),
    changed(8, 0),
    changed(12, 9),
    changed(16, 7),
    changed(16 + 4 + 60, 1),
    changed(1044, 5),
  ]) {
    assert.throws(() => parseSevCertificate(bytes), { code: "EVIDENCE_MALFORMED" });
  }
  const authority = encodeAuthority("ask", "ark");
  for (const bytes of [
    authority.subarray(1),
    Uint8Array.of(...authority, 0),
    authority.with(0, 2),
    authority.with(36, 2),
    authority.with(57, 4),
  ]) {
    assert.throws(() => parseSevAuthority(bytes), { code: "EVIDENCE_MALFORMED" });
  }
});

test("random certificates are read with no error but our own", () => {
  const good = encodeCertificate("pdh", ["pek"]);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      for (const read of [parseSevCertificate, parseSevAuthority]) {
        try {
          read(good.with(at, value));
        } catch (thrown) {
          assert.ok(thrown instanceof EvidenceError, String(thrown));
        }
      }
    }),
    { numRuns: 500 },
  );
});

function encodeAuthority(name: "ark" | "ask", by: Name, usage: SevUsage = name): Uint8Array {
  const { n = "", e = "" } = KEYS[name].publicKey.export({ format: "jwk" });
  const [modulus, exponent] = [n, e].map((part) => new Uint8Array(Buffer.from(part, "base64url")));
  const keyId = (of: Name) => new Uint8Array(16).fill(USAGE[of] + 1);
  const signed = concat(
    little(4, 1),
    keyId(name),
    keyId("ark"),
    little(4, USAGE[usage]),
    new Uint8Array(16),
    little(4, 2048),
    little(4, 2048),
    padded(exponent?.toReversed() ?? new Uint8Array(), 256),
    padded(modulus?.toReversed() ?? new Uint8Array(), 256),
  );
  return concat(signed, signPss(KEYS[by].privateKey, signed));
}

function encodeCertificate(name: Name, by: readonly Name[], usage: SevUsage = name): Uint8Array {
  const { x = "", y = "" } = KEYS[name].publicKey.export({ format: "jwk" });
  const [first, second] = [x, y].map((part) => new Uint8Array(Buffer.from(part, "base64url")));
  const signed = concat(
    little(4, 1),
    Uint8Array.of(0, 17),
    new Uint8Array(2),
    little(4, USAGE[usage]),
    little(4, name === "pdh" ? 0x103 : 0x102),
    little(4, 2),
    padded(first?.toReversed() ?? new Uint8Array(), 72),
    padded(second?.toReversed() ?? new Uint8Array(), 72),
    new Uint8Array(1028 - 148),
  );
  const places = [by[0], by[1]].map((each) =>
    each === undefined
      ? concat(little(4, 0x1000), little(4, 0), new Uint8Array(512))
      : signature(each, signed),
  );
  return concat(signed, ...places);
}

function signature(by: Name, signed: Uint8Array): Uint8Array {
  const key = KEYS[by].privateKey;
  if (key.asymmetricKeyType === "rsa") {
    return concat(little(4, USAGE[by]), little(4, 1), padded(signPss(key, signed), 512));
  }
  const raw = new Uint8Array(sign("sha384", signed, { key, dsaEncoding: "ieee-p1363" }));
  const halves = [raw.subarray(0, 48), raw.subarray(48)].map((half) =>
    padded(half.toReversed(), 72),
  );
  return concat(little(4, USAGE[by]), little(4, 0x102), padded(concat(...halves), 512));
}

/** Little-endian, as all of it. */
function signPss(key: KeyObject, signed: Uint8Array): Uint8Array {
  if (key.asymmetricKeyType !== "rsa") return new Uint8Array(256);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return new Uint8Array(sign("sha256", signed, { key, padding, saltLength: 32 })).toReversed();
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  return concat(bytes, new Uint8Array(length - bytes.length));
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
