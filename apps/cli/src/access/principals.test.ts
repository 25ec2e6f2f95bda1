// The file of principals: replaced whole, for its owner alone, and never with a token in it.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { prepareAccess } from "../processes/platform-access.ts";
import { inEmptyDirectory } from "../testing/run.ts";
import { changePrincipals, newToken, readPrincipals, tokenDigest } from "./principals.ts";

suite("the file of principals", () => {
  inEmptyDirectory();

  test("is changed by many at once, and nobody's change is lost", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
    await Promise.all(
      names.map((name) =>
        changePrincipals("many.json", (all) => [...all, { name, roles: ["reader"] }]),
      ),
    );
    const found = (await readPrincipals("many.json")).map(({ name }) => name);
    assert.deepEqual(found.sort(), names.sort());
    assert.equal(statSync("many.json").mode & 0o777, 0o600);
    assert.equal(existsSync("many.json.lock"), false);
  });

  test("keeps members that this command does not know", async () => {
    const known = { name: "a", roles: ["reader"], expires: "2030-01-01" };
    writeFileSync("more.json", JSON.stringify({ principals: [known] }), { mode: 0o600 });
    await changePrincipals("more.json", (all) => [...all, { name: "b", roles: ["user"] }]);
    assert.deepEqual((await readPrincipals("more.json"))[0], known);
  });

  test("is left as it was when the change fails", async () => {
    const failing = changePrincipals("many.json", () => {
      throw new Error("changed his mind");
    });
    await assert.rejects(failing, /changed his mind/);
    assert.equal((await readPrincipals("many.json")).length, 12);
    assert.equal(existsSync("many.json.lock"), false);
  });

  test("is not held up by a command that was killed while it changed it", async () => {
    const old = new Date(Date.now() - 3_600_000);
    writeFileSync("many.json.lock", "");
    utimesSync("many.json.lock", old, old);
    await changePrincipals("many.json", (all) => [...all, { name: "late", roles: ["reader"] }]);
    assert.equal((await readPrincipals("many.json")).length, 13);
    assert.equal(existsSync("many.json.lock"), false);
  });

  test("that others may read is not used", async () => {
    writeFileSync("open.json", '{"principals": []}', { mode: 0o600 });
    chmodSync("open.json", 0o644);
    await assert.rejects(readPrincipals("open.json"), { code: "CLI_NOT_PRIVATE" });
  });

  for (const text of [
    "{",
    "[]",
    '{"principals": [{}]}',
    '{"principals": [{"name": "a", "roles": "reader"}]}',
  ]) {
    test(`with ${text} is refused`, async () => {
      writeFileSync("wrong.json", text, { mode: 0o600 });
      await assert.rejects(readPrincipals("wrong.json"), { code: "CLI_INPUT" });
    });
  }

  test("of a new platform knows its administrator and CCFaaS by digests alone", async () => {
    const files = await prepareAccess("platform");
    const text = readFileSync(files.principalsFile, "utf8");
    const token = readFileSync(files.administratorTokenFile, "utf8").trim();
    assert.match(token, /^hf_[A-Za-z0-9_-]{43}$/);
    assert.ok(text.includes(tokenDigest(token)) && !text.includes(token));
    for (const file of Object.values(files).filter((each) => existsSync(each))) {
      assert.equal(statSync(file).mode & 0o077, 0, file);
    }
    await prepareAccess("platform");
    assert.equal(readFileSync(files.principalsFile, "utf8"), text, "nothing is made twice");
  });

  test("of a platform that is prepared by several at once has the token that is in its file", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => prepareAccess("together")));
    const [files] = all;
    const token = readFileSync(files?.administratorTokenFile ?? "", "utf8").trim();
    const principals = await readPrincipals(files?.principalsFile ?? "");
    assert.deepEqual(principals.map(({ name }) => name).sort(), ["administrator", "ccfaas"]);
    assert.ok(principals.some((each) => each.token_sha256 === tokenDigest(token)));
  });

  test("of a platform gets a new token for one that was revoked, never the old one again", async () => {
    const files = await prepareAccess("platform");
    const old = readFileSync(files.administratorTokenFile, "utf8").trim();
    await changePrincipals(files.principalsFile, (all) =>
      all.filter(({ name }) => name !== "administrator"),
    );
    await prepareAccess("platform");
    const principals = await readPrincipals(files.principalsFile);
    const digests = principals.map((each) => each.token_sha256);
    assert.ok(!digests.includes(tokenDigest(old)));
    assert.ok(
      digests.includes(tokenDigest(readFileSync(files.administratorTokenFile, "utf8").trim())),
    );
  });
});

test("tokens differ", () => {
  assert.notEqual(newToken(), newToken());
});
