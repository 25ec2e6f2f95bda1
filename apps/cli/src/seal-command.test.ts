// `holdfast seal`: what comes out is what keeps open, and is told as policies name it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { suite, test } from "node:test";
import { openSealed } from "@holdfast/channel";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";

const PLAIN = randomBytes(3_000_000);

function opened(file: string, keyFile: string): Buffer {
  const sealed = readFileSync(file);
  const key = Buffer.from(readFileSync(keyFile, "utf8"), "base64");
  const parts: Uint8Array[] = [];
  const opening = openSealed({ key, size: sealed.length, take: (part) => parts.push(part) });
  opening.write(sealed);
  opening.end();
  return Buffer.concat(parts);
}

function described(bytes: Uint8Array): { sha256: string; size: number } {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
}

suite("seal", () => {
  const { names } = inEmptyDirectory();

  test("seals with a key of its own making, and tells digests and sizes", async () => {
    writeFileSync("plain", PLAIN);
    const { code, value } = await runJson(["seal", "plain", "out", "--key", "k", "--new-key"]);
    assert.equal(code, 0);
    assert.deepEqual(value, {
      ok: true,
      file: "out",
      plain: described(PLAIN),
      sealed: described(readFileSync("out")),
    });
    assert.equal(statSync("k").mode & 0o777, 0o600);
    assert.deepEqual(opened("out", "k"), PLAIN);
    assert.deepEqual(names(), ["k", "out", "plain"], "no draft is left");
  });

  test("seals again with the same key, into other bytes", async () => {
    const { code, stdout } = await run(["seal", "plain", "again", "--key", "k"]);
    assert.equal(code, 0);
    const { sha256, size } = described(readFileSync("again"));
    assert.match(stdout, new RegExp(`^plain {3}${described(PLAIN).sha256} {2}3000000 bytes$`, "m"));
    assert.match(stdout, new RegExp(`^sealed {2}${sha256} {2}${size} bytes {2}again$`, "m"));
    assert.deepEqual(opened("again", "k"), PLAIN);
    assert.notDeepEqual(readFileSync("again"), readFileSync("out"));
  });

  test("writes over no key, and makes none when there is nothing to seal", async () => {
    const key = readFileSync("k");
    const over = await runJson(["seal", "plain", "x", "--key", "k", "--new-key"]);
    assert.equal(over.value.error?.code, "CLI_FILE");
    assert.deepEqual(readFileSync("k"), key);
    const none = await runJson(["seal", "nothing", "x", "--key", "new", "--new-key"]);
    assert.equal(none.value.error?.code, "CLI_FILE");
    assert.deepEqual(names(), ["again", "k", "out", "plain"]);
  });

  test("leaves no key of its own making when it fails", async () => {
    const { code, stderr } = await run(["seal", "plain", "none/x", "--key", "new", "--new-key"]);
    assert.equal(code, 1);
    assert.match(stderr, /CLI_FILE/);
    assert.deepEqual(names(), ["again", "k", "out", "plain"]);
  });

  test("leaves nothing when somebody gives up", async () => {
    const interruption = new AbortController();
    interruption.abort();
    const { code } = await run(["seal", "plain", "x", "--key", "new", "--new-key"], {
      interrupted: interruption.signal,
    });
    assert.equal(code, 130);
    assert.deepEqual(names(), ["again", "k", "out", "plain"]);
  });

  test("does not take the place of its key", async () => {
    const key = readFileSync("k");
    const old = await runJson(["seal", "plain", "./k", "--key", "k"]);
    assert.equal(old.value.error?.code, "CLI_USAGE");
    assert.deepEqual(readFileSync("k"), key);
    const made = await runJson(["seal", "plain", "both", "--key", "both", "--new-key"]);
    assert.equal(made.value.error?.code, "CLI_USAGE");
    assert.deepEqual(names(), ["again", "k", "out", "plain"]);
  });

  test("does not take the place of the file under another name", async () => {
    mkdirSync("other");
    linkSync("plain", "other/plain");
    const { value } = await runJson(["seal", "plain", "other/plain", "--key", "k"]);
    assert.equal(value.error?.code, "CLI_USAGE");
    assert.deepEqual(readFileSync("other/plain"), PLAIN);
    rmSync("other", { recursive: true });
  });

  test("refuses what is longer than one seal can be, before it makes a key", async () => {
    writeFileSync("long", "");
    truncateSync("long", 2 ** 36 - 31);
    const { value } = await runJson(["seal", "long", "x", "--key", "new", "--new-key"]);
    rmSync("long");
    assert.equal(value.error?.code, "CLI_INPUT");
    assert.deepEqual(names(), ["again", "k", "out", "plain"]);
  });

  test("does not take the place of the file, and makes no file called -", async () => {
    const same = await runJson(["seal", "plain", "./plain", "--key", "k"]);
    assert.equal(same.value.error?.code, "CLI_USAGE");
    const dash = await runJson(["seal", "plain", "x", "--key", "-", "--new-key"]);
    assert.equal(dash.value.error?.code, "CLI_USAGE");
    assert.deepEqual(readFileSync("plain"), PLAIN);
    assert.deepEqual(names(), ["again", "k", "out", "plain"]);
  });
});
