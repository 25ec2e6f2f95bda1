// `holdfast evidence collateral` and what judges with it: bundles, caches, damage.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { toBase64, toHex, toPem } from "@holdfast/core";
import { newIntelEvidence, newIntelWorld } from "@holdfast/testkit";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";

const { evidence, request } = await newIntelEvidence(await newIntelWorld());
const AT = request.at.toISOString();

/** The documents of a platform as they lie around, an attestation service's kept answer among them; and a key. */
function writeDocuments(): void {
  const { certificates, revocationLists, intel } = request.endorsements;
  mkdirSync("documents/cache", { recursive: true });
  for (const [index, { der }] of certificates.entries()) {
    writeFileSync(`documents/${index}.pem`, toPem("CERTIFICATE", der));
  }
  const files = revocationLists.map(({ der }, index) => ({
    name: String(index),
    bytes: toBase64(der),
  }));
  const kept = { name: "intel /crl", fetched_at: "2026-06-01T00:00:00.000Z", files };
  writeFileSync("documents/cache/kept.json", JSON.stringify(kept));
  for (const [index, { text, signature }] of intel.entries()) {
    const set = { tcb_info: text, tcb_info_signature: toHex(signature) };
    writeFileSync(`documents/intel-${index}.json`, JSON.stringify(set));
  }
  const spki = request.anchors?.[0]?.spki ?? new Uint8Array();
  writeFileSync("documents/enrolled.pem", toPem("PUBLIC KEY", spki));
  writeFileSync("root.der", request.anchors?.[0]?.der ?? "");
  writeFileSync("quote.bin", evidence);
}

function verify(...more: readonly string[]) {
  return runJson(["evidence", "verify", "quote.bin", "--root", "root.der", "--at", AT, ...more]);
}

suite("evidence collateral", () => {
  inEmptyDirectory();

  test("documents go into a bundle, into a cache, and judge evidence from each", async () => {
    writeDocuments();
    const { code, value } = await runJson([
      ...["evidence", "collateral", "export", "documents"],
      ...["--out", "bundle.json"],
    ]);
    assert.equal(code, 0, JSON.stringify(value));
    const items = value["items"] as { kind: string; validUntil: string | null }[];
    const { certificates, revocationLists, intel } = request.endorsements;
    assert.equal(items.length, certificates.length + revocationLists.length + intel.length);
    assert.ok(items.every(({ validUntil }) => validUntil !== null));
    assert.doesNotMatch(readFileSync("bundle.json", "utf8"), /PUBLIC KEY/);
    const imported = await run([
      "evidence",
      "collateral",
      "import",
      "bundle.json",
      "--cache",
      "kept",
    ]);
    assert.equal(imported.code, 0, imported.stderr);
    assert.equal(readdirSync("kept").length, items.length);
    const shown = await run(["evidence", "collateral", "show", "bundle.json"]);
    assert.match(shown.stdout, /revocation-list +CN=/);
    assert.equal((await run(["evidence", "show", "bundle.json"])).stdout, shown.stdout);
    assert.match(shown.stdout, /intel-document +TDX|intel-document +TD_QE/);
    assert.equal((await verify()).code, 3);
    for (const options of [
      ["--endorsements", "documents"],
      ["--endorsements", "bundle.json"],
      ["--collateral-cache", "kept"],
      ["--collateral-cache", "documents"],
    ]) {
      const judged = await verify(...options);
      assert.equal(judged.code, 0, `${options}: ${JSON.stringify(judged.value["checks"])}`);
    }
    const again = await run(["evidence", "collateral", "export", "kept", "--out", "again.json"]);
    assert.equal(again.code, 0);
    const itemsOf = (file: string) => JSON.parse(readFileSync(file, "utf8"))["items"];
    const digests = (file: string) => itemsOf(file).map((each: { sha256: string }) => each.sha256);
    assert.deepEqual(digests("again.json"), digests("bundle.json"));
  });

  test("a damaged bundle is told, not passed over", async () => {
    writeDocuments();
    await run(["evidence", "collateral", "export", "documents", "--out", "bundle.json"]);
    const text = readFileSync("bundle.json", "utf8");
    writeFileSync("bundle.json", text.replace(/"made":"20/, '"made":"21'));
    for (const argv of [
      ["evidence", "collateral", "show", "bundle.json"],
      ["evidence", "collateral", "import", "bundle.json", "--cache", "other"],
      ["evidence", "verify", "quote.bin", "--endorsements", "bundle.json"],
    ]) {
      const { code, value } = await runJson(argv);
      assert.notEqual(code, 0);
      assert.equal(value.error?.code, "CLI_INPUT");
      assert.match(value.error?.message ?? "", /damaged/);
    }
    mkdirSync("folder");
    writeFileSync("folder/bundle.json", readFileSync("bundle.json"));
    const judged = await verify("--endorsements", "folder");
    assert.equal(judged.code, 3);
    assert.match(JSON.stringify(judged.value["ignored"]), /damaged/);
  });

  test("a cache enrolls no key, and nothing at all makes no bundle", async () => {
    mkdirSync("keys");
    const spki = request.anchors?.[0]?.spki ?? new Uint8Array();
    writeFileSync("keys/enrolled.pem", toPem("PUBLIC KEY", spki));
    const { code, value } = await runJson([
      ...["evidence", "collateral", "export", "keys", "--out", "none.json"],
    ]);
    assert.equal(code, 1);
    assert.match(value.error?.message ?? "", /no vendor's documents/);
    const missing = await verify("--collateral-cache", "nowhere");
    assert.equal(missing.value.error?.code, "CLI_FILE");
  });
});
