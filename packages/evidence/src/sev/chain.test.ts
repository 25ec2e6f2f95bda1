// The chain of a real platform, and chains of our own with one thing wrong each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { encodeSevChain, newSevChain, SEV_CHAIN_DEFECTS } from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError, type TrustedKey } from "../index.ts";
import { vectorBytes, WITH_VECTORS } from "../testing/vectors.ts";
import { parseSevAuthority, parseSevCertificate } from "./certificates.ts";
import { SEV_CHAIN_CHECKS, type SevChain, verifySevChain } from "./chain.ts";

const NAMES = ["cek", "oca", "pek", "pdh"] as const;

async function failures(
  chain: SevChain,
  anchors: readonly TrustedKey[] = [chain.ark.key],
): Promise<string[]> {
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

test("a chain that is in order verifies, and each link fails by its own check", async (t) => {
  assert.deepEqual(await failures(newSevChain()), []);
  for (const { name, fails, changes } of SEV_CHAIN_DEFECTS) {
    await t.test(name, async () => {
      const chain = newSevChain(changes);
      assert.deepEqual(await failures(chain, changes?.anchors?.(chain)), fails);
    });
  }
});

test("certificates are refused for their fault", () => {
  const good = encodeSevChain().pdh;
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
  const authority = encodeSevChain().ask;
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
  const good = encodeSevChain().pdh;
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
