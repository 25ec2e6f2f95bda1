// Tokens of Arm platforms: claims and results as the samples' index states them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { NO_ENDORSEMENTS, verifyCca, verifyPsa } from "../index.ts";
import {
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  WITH_VECTORS,
} from "../testing/vectors.ts";

const at = new Date("2026-11-24T00:00:00Z");

for (const [id, verify, keys] of [
  ["psa-veraison", verifyPsa, "arm/psa-veraison.key.json"],
  ["cca-trustee", verifyCca, "arm/cca-trustee.tastore.json"],
  ["cca-trustee", verifyCca, "arm/cca-trustee.cpak-pub.json"],
] as const) {
  test(`${id} under ${keys}`, WITH_VECTORS, async () => {
    const [entry] = vectorEntries(id);
    const token = vectorBytes(entry?.files[0] ?? "");
    const claims = entry?.claims ?? {};
    const request = {
      at,
      crypto: webCrypto,
      endorsements: vectorEndorsements(keys),
      nonce: Uint8Array.fromHex(String(claims["nonce"] ?? claims["realmChallenge"])),
    };
    const appraisal = await verify(token, request);
    assert.deepEqual(
      appraisal.checks.filter(({ outcome }) => outcome !== "passed"),
      [],
    );
    assert.equal(appraisal.verdict, "affirmed");
    for (const [name, value] of Object.entries(claims)) {
      assert.deepEqual(
        (appraisal.claims as Record<string, unknown> | undefined)?.[name],
        value,
        name,
      );
    }
    const unknown = await verify(token, { ...request, endorsements: NO_ENDORSEMENTS });
    assert.equal(unknown.verdict, "not-judged");
    assert.equal(unknown.claims, undefined);
  });
}
