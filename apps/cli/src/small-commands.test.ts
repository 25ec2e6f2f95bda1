import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { createSimulatedNsm, newSimulatedAuthority, simulatedPcrs } from "@holdfast/attester";
import { systemClock } from "@holdfast/core";
import { BUILT } from "./processes/checkout.ts";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";

suite("identity new", () => {
  inEmptyDirectory();

  test("makes a certificate and its key, the key for its owner alone", async () => {
    const { code, stdout } = await run([
      "identity",
      "new",
      "ME",
      "--name",
      "front door",
      "--days",
      "3",
    ]);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /PRIVATE/);
    const certificate = new X509Certificate(readFileSync("MEcert.pem"));
    assert.match(certificate.subject, /CN=front door/);
    assert.equal(statSync("MEkey.pem").mode & 0o777, 0o600);
    const days = (certificate.validToDate.getTime() - Date.now()) / 86_400_000;
    assert.ok(days > 2.9 && days < 3.1);
  });

  test("does not write over another identity unless told to", async () => {
    const before = readFileSync("MEkey.pem", "utf8");
    const { code, stderr } = await run(["identity", "new", "ME"]);
    assert.equal(code, 1);
    assert.match(stderr, /--force/);
    assert.equal(readFileSync("MEkey.pem", "utf8"), before);
    assert.equal((await run(["identity", "new", "ME", "--force"])).code, 0);
    assert.notEqual(readFileSync("MEkey.pem", "utf8"), before);
  });

  test("says where it can't write, and leaves nothing", async () => {
    const { code, stderr } = await run(["identity", "new", "no/such/folder/ME"]);
    assert.equal(code, 1);
    assert.match(stderr, /CLI_FILE/);
  });
});

suite("evidence", () => {
  inEmptyDirectory();

  test("is refused under a simulated root that is not named, and affirmed as SIMULATED under one that is", async () => {
    const authority = await newSimulatedAuthority(systemClock);
    const pcr0 = new Uint8Array(48).fill(7);
    const nsm = createSimulatedNsm({
      authority,
      pcrs: simulatedPcrs(pcr0),
      moduleId: "i-test",
      clock: systemClock,
    });
    writeFileSync("document", await nsm.attest({ nonce: Uint8Array.of(1, 2) }));
    writeFileSync("root.pem", authority.certificatePem);
    const alone = await run(["evidence", "verify", "document"]);
    assert.equal(alone.code, 1);
    assert.match(
      alone.stdout,
      /failed +path\.anchor[\s\S]*name a simulated or private root with --root/,
    );
    const named = ["evidence", "verify", "document", "--simulated-root", "root.pem"];
    const affirmed = await run([
      ...named,
      "--nonce",
      "0102",
      "--expect",
      `pcr0=${"07".repeat(48)}`,
    ]);
    assert.equal(affirmed.code, 0, affirmed.stderr);
    assert.match(affirmed.stdout, /verdict: AFFIRMED, platform simulated-nitro, SIMULATED/);
    for (const more of [
      ["--nonce", "0103"],
      ["--expect", `pcr0=${"08".repeat(48)}`],
      ["--at", "2020-01-01T00:00:00Z"],
    ]) {
      const { code, value } = await runJson([...named, ...more]);
      assert.deepEqual([code, value["verdict"]], [1, "refused"], more.join(" "));
    }
    writeFileSync("base64", readFileSync("document").toString("base64"));
    const shown = await run(["evidence", "show", "base64"]);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /not judged/);
    assert.match(shown.stdout, /nonce: +0102/);
  });

  test("that can't be read is refused", async () => {
    writeFileSync("noise", new Uint8Array(100).fill(255));
    assert.equal((await run(["evidence", "verify", "noise"])).code, 1);
    assert.match((await run(["evidence", "show", "noise"])).stderr, /EVIDENCE_/);
  });
});

suite("keep", () => {
  test("build and measure agree", async () => {
    const built = await runJson(["keep", "build"]);
    assert.equal(built.code, 0, JSON.stringify(built.value));
    const measured = await runJson(["keep", "measure", BUILT.keepBundle]);
    assert.equal(measured.value["measurement"], built.value["measurement"]);
    assert.match(String(built.value["measurement"]), /^[0-9a-f]{64}$/);
  });
});

suite("services that are not there", () => {
  for (const argv of [
    ["function", "list"],
    ["function", "show", "x"],
    ["function", "delete", "x"],
    ["instance", "list"],
    ["instance", "show", "x"],
    ["instance", "delete", "x"],
  ]) {
    test(`are named by ${argv.join(" ")}`, async () => {
      const { code, value } = await runJson([...argv, "--url", "http://127.0.0.1:1"]);
      assert.equal(code, 1);
      assert.equal(value.error?.code, "SERVICE_UNREACHABLE");
    });
  }
});
