// Attestation results of other verifiers: a right one is affirmed, one with one fault is refused by the check of that fault.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { suite, test } from "node:test";
import { fromText, toBase64Url, webCrypto } from "@holdfast/core";
import fc from "fast-check";
import { keyOfSpki, NO_ENDORSEMENTS, verifyEvidence } from "../index.ts";

const at = new Date("2026-01-15T10:00:00Z");
const NOW = at.getTime() / 1000;
const NONCE = new Uint8Array(32).fill(9);
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const strangers = generateKeyPairSync("ec", { namedCurve: "P-256" });

interface Changes {
  readonly header?: object;
  readonly payload?: object;
  readonly submodule?: object;
  readonly signer?: KeyObject;
  readonly after?: (token: string) => string;
}

function tokenOf({ header, payload, submodule, signer, after }: Changes = {}): Uint8Array {
  const claims = {
    eat_profile: "tag:ietf.org,2026:rats/ear#05",
    iss: "verifier.example",
    iat: NOW - 10,
    exp: NOW + 300,
    eat_nonce: toBase64Url(NONCE),
    ear_verifier_id: { developer: "https://verifier.example", build: "1" },
    submods: {
      cpu0: {
        ear_status: 2,
        ear_trustworthiness_vector: { hardware: 2, executables: 2, "file-system": 0 },
        ...submodule,
      },
    },
    ...payload,
  };
  const part = (value: object) => toBase64Url(fromText(JSON.stringify(value)));
  const signedText = `${part({ alg: "ES256", kid: "v1", ...header })}.${part(claims)}`;
  const key = { key: signer ?? keys.privateKey, dsaEncoding: "ieee-p1363" } as const;
  const token = `${signedText}.${toBase64Url(sign("sha256", fromText(signedText), key))}`;
  return fromText(after?.(token) ?? token);
}

function enrolled(key: KeyObject = keys.publicKey, name = "v1") {
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  return { ...NO_ENDORSEMENTS, keys: [{ ...keyOfSpki(spki), name }] };
}

const request = { at, crypto: webCrypto, endorsements: enrolled(), nonce: NONCE };

test("a result is affirmed, under the draft's names and under the older ones", async () => {
  const right = await verifyEvidence(tokenOf(), request);
  assert.equal(right.verdict, "affirmed", JSON.stringify(right.checks));
  assert.equal(right.type, "ear");
  assert.ok(right.checks.every(({ outcome }) => outcome === "passed"));
  const dotted = tokenOf({
    payload: {
      eat_profile: "tag:github.com,2023:veraison/ear",
      ear_verifier_id: undefined,
      "ear.verifier-id": { developer: "Veraison", build: "1" },
      submods: {
        PSA: { "ear.status": "affirming", "ear.trustworthiness-vector": { hardware: 2 } },
      },
    },
  });
  assert.equal((await verifyEvidence(dotted, request)).verdict, "affirmed");
});

const FAULTS: readonly (readonly [name: string, changes: Changes, failed: readonly string[]])[] = [
  ["no submodules", { payload: { submods: undefined } }, ["ear.format"]],
  ["empty submodules", { payload: { submods: {} } }, ["ear.format"]],
  ["a submodule without status", { submodule: { ear_status: undefined } }, ["ear.format"]],
  ["a status of its own invention", { submodule: { ear_status: "fine" } }, ["ear.format"]],
  ["a status named after Object's own", { submodule: { ear_status: "toString" } }, ["ear.format"]],
  ["critical header members", { header: { crit: ["x"], x: 1 } }, ["ear.format"]],
  ["a time that is none", { payload: { exp: "tomorrow" } }, ["ear.format"]],
  ["no signature", { after: (token) => token.replace(/[^.]*$/, "") }, ["ear.signature"]],
  ["a stranger's signature", { signer: strangers.privateKey }, ["ear.signature"]],
  ["an unknown profile", { payload: { eat_profile: "tag:example.org,2026:ear" } }, ["ear.profile"]],
  ["no verifier", { payload: { ear_verifier_id: undefined } }, ["ear.verifier"]],
  ["a time of issue to come", { payload: { iat: NOW + 120 } }, ["ear.issued"]],
  ["a beginning to come", { payload: { nbf: NOW + 120 } }, ["ear.issued"]],
  ["an end that has passed", { payload: { exp: NOW } }, ["ear.expiry"]],
  [
    "a vector worse than its status",
    { submodule: { ear_trustworthiness_vector: { hardware: 97 } } },
    ["ear.vector"],
  ],
  ["a warning", { submodule: { ear_status: 32 } }, ["ear.status"]],
  ["a contraindicated submodule", { submodule: { ear_status: 96 } }, ["ear.status"]],
  ["another nonce", { payload: { eat_nonce: "AAAAAAAAAAA" } }, ["ear.nonce"]],
  ["no nonce", { payload: { eat_nonce: undefined } }, ["ear.nonce"]],
];

suite("a result with one fault is refused by the check of that fault", () => {
  for (const [name, changes, failed] of FAULTS) {
    test(name, async () => {
      const appraisal = await verifyEvidence(tokenOf(changes), request);
      const names = appraisal.checks.filter(({ outcome }) => outcome === "failed");
      assert.deepEqual(
        names.map((each) => each.name),
        failed,
      );
      assert.equal(appraisal.verdict, "refused");
    });
  }

  for (const alg of ["none", "HS256", "ES384", "RS256", "PS256", "constructor"]) {
    test(`algorithm ${alg}`, async () => {
      const appraisal = await verifyEvidence(tokenOf({ header: { alg } }), request);
      assert.equal(appraisal.verdict, "refused");
      assert.equal(appraisal.claims, undefined);
    });
  }

  test("report data, which a token has not", async () => {
    const asked = { ...request, reportData: NONCE };
    assert.equal((await verifyEvidence(tokenOf(), asked)).verdict, "refused");
  });
});

test("what cannot be checked is open: no key, no end, a status of none", async () => {
  const unknown = { ...request, endorsements: NO_ENDORSEMENTS };
  const open = await Promise.all([
    verifyEvidence(tokenOf(), unknown),
    verifyEvidence(tokenOf({ payload: { exp: undefined } }), request),
    verifyEvidence(tokenOf({ submodule: { ear_status: 0 } }), request),
  ]);
  for (const { verdict } of open) assert.equal(verdict, "not-judged");
  const waived = { ...request, waive: ["ear.expiry"] };
  const endless = await verifyEvidence(tokenOf({ payload: { exp: undefined } }), waived);
  assert.equal(endless.verdict, "affirmed");
});

test("a key by another name still counts, but not when the named one is there", async () => {
  const other = { ...request, endorsements: enrolled(keys.publicKey, "v0") };
  assert.equal((await verifyEvidence(tokenOf(), other)).verdict, "affirmed");
  const both = {
    ...enrolled(strangers.publicKey),
    keys: [...enrolled(strangers.publicKey).keys, ...enrolled(keys.publicKey, "v0").keys],
  };
  const confused = await verifyEvidence(tokenOf(), { ...request, endorsements: both });
  assert.equal(confused.verdict, "refused");
});

test("no bytes make an error of another kind, and no change of one is affirmed", async () => {
  const right = tokenOf();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(right.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (place, by) => {
        const changed = right.slice();
        changed[place] = (changed[place] ?? 0) ^ by;
        assert.notEqual((await verifyEvidence(changed, request)).verdict, "affirmed");
      },
    ),
    { numRuns: 200 },
  );
});
