// `holdfast key` against a running attestation service: left, granted, listed, shown, deleted; released to a keep in between, and
// audited afterwards. No key is ever printed, logged, or kept where others may read it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, suite, test } from "node:test";
import { createSimulatedNsm, openSimulatedAuthority, simulatedPcrs } from "@holdfast/attester";
import { makeReleaseRequest, openReleasedKey } from "@holdfast/channel";
import { AttestationClient, fetchTransport } from "@holdfast/contract";
import { fromBase64, systemClock, toBase64 } from "@holdfast/core";
import { writeProfile } from "./access/profile.ts";
import { ENTRY } from "./processes/checkout.ts";
import { prepareAttestationToken } from "./processes/platform-access.ts";
import { writeNewKeyFile } from "./sealing/key-file.ts";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";
import { samplePolicy } from "./testing/sample-policy.ts";

const IMAGE = new Uint8Array(48).fill(7);
const MEASUREMENT = "07".repeat(32);
const OTHER = "08".repeat(32);
const PROFILE = ["--profile", "profile.json"];
const LOG = "data/decisions.jsonl";
const LIMIT_MS = 120_000;

const sample = await samplePolicy();
/** The sample policy with an input that is sealed with the key. */
const policy = (() => {
  const parsed = JSON.parse(sample.text);
  const input = { path: "/sealed/model", source: "https://store.example/m", sha256: OTHER };
  parsed.file_hashes.push({ file_path: input.path, hash: OTHER });
  return JSON.stringify({
    ...parsed,
    holdfast: { inputs: [{ ...input, size: 99, key: "model" }] },
  });
})();
const module = Uint8Array.from("a module, as far as digests go", (each) => each.charCodeAt(0));

suite("keys of sealed inputs", () => {
  inEmptyDirectory();
  let service: ChildProcess;
  let said = "";
  let url = "";
  let key = new Uint8Array();

  before(async () => {
    await openSimulatedAuthority("platform", systemClock);
    const token = await prepareAttestationToken(".");
    const config = {
      listen: { host: "127.0.0.1", port: 0 },
      data_dir: "data",
      simulated_root: "platform/root.pem",
      admin_token_file: token,
    };
    writeFileSync("config.json", JSON.stringify(config));
    writeFileSync("policy.json", policy);
    writeFileSync("detector.wasm", module);
    writeFileSync("user.pem", sample.user.certificatePem);
    writeFileSync("bridge.pem", sample.bridge.certificatePem);
    key = Uint8Array.from(await writeNewKeyFile("model.key"));
    service = spawn(process.execPath, [ENTRY.trust, "--config", "config.json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    url = await listening(service, (line) => {
      said += line;
    });
    await writeProfile("profile.json", { attestation: url, attestation_token_file: token });
  });

  after(async () => {
    if (service.exitCode !== null || service.signalCode !== null) return;
    const ended = once(service, "exit", { signal: AbortSignal.timeout(LIMIT_MS) });
    service.kill();
    await ended;
  });

  /** A keep under the policy asks for the key. */
  async function ask(): Promise<Uint8Array> {
    const client = new AttestationClient(fetchTransport(url));
    const nsm = createSimulatedNsm({
      authority: await openSimulatedAuthority("platform", systemClock),
      pcrs: simulatedPcrs(IMAGE),
      moduleId: "i-key",
      clock: systemClock,
    });
    const { bytes, privateKey } = makeReleaseRequest({ name: "model", policyText: policy });
    const { challenge_id: challengeId, nonce } = await client.challenge();
    const userData = createHash("sha256").update(bytes).digest();
    const evidence = await nsm.attest({ nonce: fromBase64(nonce), userData });
    const { jwe } = await client.releaseKey("model", { challengeId, evidence, request: bytes });
    return openReleasedKey(privateKey, jwe);
  }

  test("the administrator's token is for its owner alone, and stays", async () => {
    const token = readFileSync("access/attestation.token", "utf8");
    assert.equal(statSync("access/attestation.token").mode & 0o777, 0o600);
    await Promise.all([prepareAttestationToken("."), prepareAttestationToken(".")]);
    assert.equal(readFileSync("access/attestation.token", "utf8"), token);
  });

  test("a key is left with the terms of its release", async () => {
    const terms = ["--measurement", MEASUREMENT, "--policy", "policy.json", "--reader", "user.pem"];
    const argv = ["key", "put", "model", "--key", "model.key", ...terms, ...PROFILE];
    const { code, stdout, stderr } = await run(argv);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^key model, never released$/m);
    assert.match(stdout, new RegExp(`^ {2}measurement {2}${MEASUREMENT}$`, "m"));
    const again = await runJson(argv);
    assert.equal(again.code, 0);
    const { value } = await runJson(["key", "show", "model", ...PROFILE]);
    assert.deepEqual(value["key"], again.value["key"]);
    const file = "data/held-keys/model.json";
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test("it goes to a keep once the terms are met, and that is counted", async () => {
    await assert.rejects(ask(), { code: "KEY_NOT_RELEASED" });
    const { value } = await runJson(["key", "show", "model", ...PROFILE]);
    const { grant } = value["key"] as { grant: object };
    writeFileSync("terms.json", JSON.stringify({ ...grant, simulated: true, readers: [OTHER] }));
    const granted = await run(["key", "grant", "model", "--terms", "terms.json", ...PROFILE]);
    assert.equal(granted.code, 0, granted.stderr);
    assert.match(granted.stdout, /SIMULATED platforms get it/);
    await assert.rejects(ask(), { code: "KEY_NOT_RELEASED" });
    const readers = ["--reader", "user.pem", "--reader", "bridge.pem"];
    const terms = ["--measurement", OTHER, "--measurement", MEASUREMENT, ...readers, "--simulated"];
    const policies = ["--policy", "policy.json", "--not-after", "2999-01-01T00:00:00Z"];
    const more = await run(["key", "grant", "model", ...terms, ...policies, ...PROFILE]);
    assert.equal(more.code, 0, more.stderr);
    assert.deepEqual(await ask(), key);
    const listed = await run(["key", "list", ...PROFILE]);
    assert.match(listed.stdout, /^model {2}released once, last at 20/);
  });

  test("from standard input, for programs alone, and for nobody to read", async () => {
    const bytes = new Uint8Array(32).fill(9);
    const terms = ["--measurement", MEASUREMENT, "--program", "detector.wasm", "--no-readers"];
    const argv = ["key", "put", "other", "--key", "-", ...terms, ...PROFILE, "--json"];
    const { code, stdout } = await run(argv, { stdin: `${bytes.toHex()}\n` });
    assert.equal(code, 0, stdout);
    assert.deepEqual(JSON.parse(stdout).key.grant, {
      measurements: [MEASUREMENT],
      programs: [createHash("sha256").update(module).digest("hex")],
      readers: [],
    });
    const file = JSON.parse(readFileSync("data/held-keys/other.json", "utf8"));
    assert.equal(file.key, toBase64(bytes));
  });

  const PUT = ["key", "put", "new", "--measurement", MEASUREMENT, "--program", OTHER];
  const GRANT = ["key", "grant", "new", "--measurement", MEASUREMENT];
  const WRONG: readonly (readonly [name: string, argv: readonly string[], said: RegExp])[] = [
    [
      "a key on the command line",
      [...PUT, "--key", OTHER],
      /does not belong on a command line.*CLI_USAGE/,
    ],
    ["a key file that others may read", [...PUT, "--key", "open.key"], /CLI_NOT_PRIVATE/],
    [
      "a key file of something else",
      [...PUT, "--key", "short.key"],
      /no key of 32 bytes.*CLI_INPUT/,
    ],
    ["no key", PUT, /--key/],
    ["a name that is none", ["key", "show", "A"], /small letter/],
    ["a token on the command line", ["key", "list", "--token", "x"], /CLI_USAGE/],
    ["no measurement", ["key", "grant", "new", "--program", OTHER], /--measurement HEX is missing/],
    ["a measurement that is none", [...GRANT, "--measurement", "0X"], /64 or 96/],
    ["neither program nor policy", GRANT, /--program FILE or --policy FILE is missing/],
    ["a time that is none", [...GRANT, "--not-after", "2026-13-01T00:00:00Z"], /a time such as/],
    ["terms beside a file of terms", [...GRANT, "--terms", "terms.json"], /--terms stands alone/],
    [
      "nobody to read beside a file of terms",
      ["key", "grant", "new", "--terms", "terms.json", "--no-readers"],
      /--terms stands alone/,
    ],
    [
      "a reader and nobody",
      [...GRANT, "--policy", "policy.json", "--reader", "user.pem", "--no-readers"],
      /contrary/,
    ],
    ["terms that are none", ["key", "grant", "new", "--terms", "config.json"], /CLI_INPUT/],
    [
      "a reader who is no certificate",
      [...PUT, "--key", "model.key", "--reader", "config.json"],
      /CLI_INPUT/,
    ],
    ["a policy that is none", [...GRANT, "--policy", "config.json"], /POLICY_INVALID/],
    ["a key that is not there", ["key", "show", "none"], /KEY_UNKNOWN[\s\S]*holdfast key list/],
    ["another key of the name", PUT.with(2, "model").concat("--key", "model.key"), /KEY_TAKEN/],
    [
      "no token for that address",
      ["key", "list", "--service", "http://127.0.0.1:1"],
      /no administrator's token/,
    ],
    ["another's token", ["key", "list", "--token-file", "wrong.token"], /ADMIN_REQUIRED/],
    [
      "a token in clear over a network",
      ["key", "list", "--service", "http://192.0.2.1:1", "--token-file", "wrong.token"],
      /CLI_PLAIN_HTTP/,
    ],
  ];

  for (const [name, argv, expected] of WRONG) {
    test(`refused: ${name}`, async () => {
      writeFileSync("open.key", toBase64(key), { mode: 0o600 });
      chmodSync("open.key", 0o644);
      writeFileSync("short.key", "AAAA", { mode: 0o600 });
      writeFileSync("wrong.token", "a-token-that-nobody-knows", { mode: 0o600 });
      const { code, stdout, stderr } = await run([...argv, ...PROFILE]);
      assert.notEqual(code, 0, stdout);
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /0808/);
    });
  }

  test("a key that is deleted is released no more; all of it is in the log", async () => {
    const deleted = await runJson(["key", "delete", "model", ...PROFILE]);
    assert.deepEqual(deleted.value, { ok: true, deleted: "model" });
    await assert.rejects(ask(), { code: "KEY_NOT_RELEASED" });
    const { code, value } = await runJson(["evidence", "audit", LOG]);
    assert.equal(code, 0, JSON.stringify(value));
    const decisions = value["decisions"] as { kind: string; outcome: string }[];
    assert.deepEqual(
      decisions.map(({ kind, outcome }) => `${kind} ${outcome}`),
      [
        "key made",
        "key unchanged",
        "release refused",
        "key granted",
        "release refused",
        "key granted",
        "release released",
        "key made",
        "key removed",
        "release refused",
      ],
    );
  });

  test("an audit tells when a release would not be right any more, and when its record lies", async () => {
    const later = await runJson(["evidence", "audit", LOG, "--at", "2999-06-01T00:00:00Z"]);
    assert.equal(later.code, 0);
    const [, , , , , , released] = later.value["decisions"] as { changes: { name: string }[] }[];
    const names = released?.changes.map(({ name }) => name);
    assert.deepEqual(names, ["path.validity", "nitro.time", "grant.time"]);
    const lines = readFileSync(LOG, "utf8");
    const lies = [
      lines.replaceAll(`[\\"${OTHER}\\",\\"${MEASUREMENT}\\"]`, `[\\"${OTHER}\\"]`),
      lines.replaceAll(/\\"readers\\":\[[^\]]*\]/g, '\\"readers\\":[]'),
    ];
    for (const text of lies) {
      assert.notEqual(text, lines);
      writeFileSync(LOG, text);
      const { value } = await runJson(["evidence", "audit", LOG]);
      const [, , , , , , lie] = value["decisions"] as { contradictions: { name: string }[] }[];
      assert.match(JSON.stringify(lie?.contradictions), /grant\.(measurement|readers)/);
    }
    writeFileSync(LOG, lines);
  });

  test("no key and no token is in what was said", () => {
    const token = readFileSync("access/attestation.token", "utf8").trim();
    const log = readFileSync(LOG, "utf8");
    for (const secret of [toBase64(key), key.toHex(), "CQkJCQkJ", "09090909", token]) {
      assert.ok(!said.includes(secret) && !log.includes(secret));
    }
    assert.match(said, /key released/);
    assert.match(said, /key not released/);
  });
});

/** Waits for the address of a service; everything that it says goes on to be heard. */
async function listening(child: ChildProcess, hear: (line: string) => void): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the service can't be heard");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  createInterface({ input: stdout })
    .on("line", (line) => {
      hear(line);
      const [, address] = /Server listening at (http:\/\/[^"]+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    })
    .once("close", () => reject(new Error("the service ended before it listened")));
  return await promise;
}
