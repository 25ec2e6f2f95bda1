// `holdfast token`: made, listed, revoked; shown once, kept as a digest.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { newIdentity } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import { tokenDigest } from "./access/principals.ts";
import { readProfile, writeProfile } from "./access/profile.ts";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";

const FILE = ["--principals", "principals.json"];

suite("tokens", () => {
  inEmptyDirectory();

  test("are shown once, and kept as digests", async () => {
    const { code, stdout } = await run(["token", "new", "alice", "--role", "user,reader", ...FILE]);
    assert.equal(code, 0);
    const token = stdout.trim();
    assert.match(token, /^hf_[A-Za-z0-9_-]{43}$/);
    const text = readFileSync("principals.json", "utf8");
    assert.deepEqual(JSON.parse(text), {
      principals: [{ name: "alice", roles: ["user", "reader"], token_sha256: tokenDigest(token) }],
    });
    const listed = await run(["token", "list", ...FILE]);
    assert.match(listed.stdout, /^alice {2}user, reader {2}token [0-9a-f]{12}…$/m);
  });

  test("are not made where no platform was ever started, and it is said what starts one", async () => {
    const { code, stderr } = await run([
      "token",
      "new",
      "x",
      "--role",
      "user",
      "--data-dir",
      "none",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /CLI_FILE[\s\S]*try: `holdfast up` makes the directory/);
  });

  test("belong to one of a name, unless he is replaced", async () => {
    const before = readFileSync("principals.json", "utf8");
    writeFileSync("alice.token", "the token that is known");
    const argv = ["token", "new", "alice", "--role", "admin", "--out", "alice.token", ...FILE];
    const again = await run(argv);
    assert.equal(readFileSync("alice.token", "utf8"), "the token that is known");
    assert.equal(again.code, 1);
    assert.equal(again.stdout, "");
    assert.equal(readFileSync("principals.json", "utf8"), before);
    const roles = ["--namespace", "team-a=admin,user", "--namespace", "team-b=reader"];
    const { value } = await runJson(["token", "new", "alice", ...roles, "--replace", ...FILE]);
    assert.deepEqual(JSON.parse(readFileSync("principals.json", "utf8")), {
      principals: [
        {
          name: "alice",
          namespaces: { "team-a": ["admin", "user"], "team-b": ["reader"] },
          token_sha256: tokenDigest(String(value["token"])),
        },
      ],
    });
  });

  test("are written for their owner alone when a file is named, and then not shown", async () => {
    const { stdout } = await run([
      "token",
      "new",
      "bob",
      "--role",
      "reader",
      "--out",
      "b",
      ...FILE,
    ]);
    assert.doesNotMatch(stdout, /hf_/);
    assert.match(readFileSync("b", "utf8"), /^hf_/);
    assert.equal(statSync("b").mode & 0o777, 0o600);
  });

  test("are handed over with addresses and authority in one profile", async () => {
    mkdirSync("holdfast-data");
    writeFileSync("holdfast-data/ca.pem", "the authority");
    const up = { ccfaas: "https://127.0.0.1:5010", ca_file: "ca.pem", token_file: "mine" };
    await writeProfile("holdfast-data/profile.json", up);
    const argv = ["token", "new", "carol", "--namespace", "team-a=user"];
    argv.push("--profile-out", "carol.json");
    assert.equal((await run([...argv, ...FILE])).code, 0);
    const profile = await readProfile("carol.json");
    assert.deepEqual(
      [profile.urls.ccfaas, profile.caPem, profile.tokenFile, profile.namespace],
      ["https://127.0.0.1:5010", "the authority", undefined, "team-a"],
    );
    const { principals } = JSON.parse(readFileSync("principals.json", "utf8")) as {
      principals: { name: string; token_sha256: string }[];
    };
    const carol = principals.find(({ name }) => name === "carol");
    assert.equal(carol?.token_sha256, tokenDigest(profile.token ?? ""));
  });

  test("are not made for one who is known by a certificate", async () => {
    const { certificatePem } = await newIdentity({ commonName: "dave", clock: systemClock });
    writeFileSync("dave.pem", certificatePem);
    const argv = ["token", "new", "dave", "--role", "user", ...FILE, "--certificate"];
    assert.doesNotMatch((await run([...argv, "dave.pem"])).stdout, /hf_/);
    const listed = await run(["token", "list", ...FILE]);
    const digest = createHash("sha256")
      .update(new X509Certificate(certificatePem).raw)
      .digest("hex");
    assert.match(listed.stdout, new RegExp(`dave {2}user {2}certificate ${digest.slice(0, 12)}`));
    const none = await run([...argv.with(2, "erin"), "principals.json"]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /CLI_INPUT/);
  });

  test("are no longer known once they are revoked", async () => {
    assert.equal((await run(["token", "revoke", "alice", ...FILE])).code, 0);
    assert.doesNotMatch((await run(["token", "list", ...FILE])).stdout, /alice/);
    const again = await run(["token", "revoke", "alice", ...FILE]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /nobody is called alice/);
  });
});
