// Profiles: found, read, and refused when they are no secret.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { inEmptyDirectory } from "../testing/run.ts";
import { findProfile, readProfile, writeProfile } from "./profile.ts";

const URLS = { ccfaas: "https://127.0.0.1:5010", s3: "https://127.0.0.1:5020" };

suite("a profile", () => {
  const directory = inEmptyDirectory();

  test("is written for its owner alone, and its paths start from it", async () => {
    mkdirSync("data");
    const given = { ...URLS, ca_file: "tls/ca.pem", token_file: "token", namespace: "team-a" };
    await writeProfile("data/profile.json", given);
    assert.equal(statSync("data/profile.json").mode & 0o777, 0o600);
    const profile = await readProfile("data/profile.json");
    assert.deepEqual(profile.urls, URLS);
    assert.equal(profile.caFile, join(directory.path(), "data/tls/ca.pem"));
    assert.equal(profile.tokenFile, join(directory.path(), "data/token"));
    assert.equal(profile.namespace, "team-a");
  });

  test("is the one named, else the environment's, else that of `up`, else none", async () => {
    assert.equal(await findProfile(undefined, {}), undefined);
    mkdirSync("holdfast-data");
    for (const name of ["holdfast-data/profile.json", "theirs.json", "mine.json"]) {
      await writeProfile(name, URLS);
    }
    const environment = { HOLDFAST_PROFILE: "theirs.json" };
    const files = await Promise.all([
      findProfile(undefined, {}),
      findProfile(undefined, environment),
      findProfile("mine.json", environment),
    ]);
    assert.deepEqual(
      files.map((each) => each?.file),
      ["holdfast-data/profile.json", "theirs.json", "mine.json"].map((name) =>
        join(directory.path(), name),
      ),
    );
  });

  test("that was named and is not there is no reason to take another", async () => {
    await assert.rejects(findProfile("nowhere.json", {}), { code: "CLI_FILE" });
  });

  for (const mode of [0o640, 0o604, 0o620, 0o602]) {
    test(`of mode ${mode.toString(8)} is not used`, async () => {
      await writeProfile("open.json", URLS);
      chmodSync("open.json", mode);
      await assert.rejects(readProfile("open.json"), { code: "CLI_NOT_PRIVATE" });
    });
  }

  for (const [fault, text, says] of [
    ["no JSON", "{", /JSON/],
    ["a list", "[]", /an object is expected/],
    ["an unknown member", '{"password": "x"}', /password is not known/],
    ["a number", '{"token": 1}', /token: a text is expected/],
    ["an address with a password", '{"vaas": "https://u:p@h"}', /vaas: https/],
    ["two authorities", '{"ca_pem": "a", "ca_file": "b"}', /ca_file or ca_pem/],
    ["a certificate without its key", '{"certificate_file": "a"}', /belong together/],
    ["two tokens", '{"token": "a", "token_file": "b"}', /token or token_file/],
    ["a namespace with a slash", '{"namespace": "a/b"}', /namespace/],
  ] as const) {
    test(`with ${fault} is refused`, async () => {
      writeFileSync("wrong.json", text, { mode: 0o600 });
      await assert.rejects(readProfile("wrong.json"), { code: "CLI_INPUT", message: says });
    });
  }
});
