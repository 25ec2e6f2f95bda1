// Keys at rest: for the service's user alone, whole or not at all, bounded, and never in a message.
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { KeyGrant } from "@holdfast/contract";
import { fixedClock, HoldfastError } from "@holdfast/core";
import { filled } from "@holdfast/testkit";
import { HeldKeys } from "./held-keys.ts";

const CLOCK = fixedClock(new Date("2026-06-01T10:00:00Z"));
const BODY = {
  key: filled(32, 7).toBase64(),
  grant: { measurements: ["00".repeat(32)], programs: ["11".repeat(32)] },
};

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-held-keys-"));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, "held-keys");
}

test("keys, terms and counts are there again after a restart", async (t) => {
  const directory = await folder(t);
  const keys = await HeldKeys.open(directory, CLOCK);
  assert.deepEqual(keys.list(), []);
  assert.equal(await keys.put("b", BODY), true);
  assert.equal(await keys.put("a.b-c_1", BODY), true);
  const grant: KeyGrant = { ...BODY.grant, simulated: true, readers: [] };
  await keys.regrant("b", grant);
  const held = keys.find("b");
  assert.ok(held !== undefined);
  assert.equal(await keys.countRelease(held, CLOCK.now()), true);
  assert.equal(await keys.countRelease(held, CLOCK.now()), true);
  const again = await HeldKeys.open(directory, CLOCK);
  assert.deepEqual(again.list(), keys.list());
  const time = CLOCK.now().toISOString();
  assert.deepEqual(again.get("b"), {
    name: "b",
    grant,
    created_at: time,
    released: 2,
    last_released_at: time,
  });
  assert.deepEqual(again.find("b")?.bytes, filled(32, 7));
});

test("files and folder are for their owner alone", async (t) => {
  const directory = await folder(t);
  await (await HeldKeys.open(directory, CLOCK)).put("a", BODY);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(directory), ["a.json"]);
  assert.equal((await stat(join(directory, "a.json"))).mode & 0o777, 0o600);
});

test("a key that is deleted is gone from the disk, and its name is free", async (t) => {
  const directory = await folder(t);
  const keys = await HeldKeys.open(directory, CLOCK);
  await keys.put("a", BODY);
  await keys.remove("a");
  assert.deepEqual(await readdir(directory), []);
  assert.equal(keys.find("a"), undefined);
  await assert.rejects(keys.remove("a"), { code: "KEY_UNKNOWN" });
  assert.equal(await keys.put("a", { ...BODY, key: filled(32, 8).toBase64() }), true);
});

test("the same key again changes nothing; another, or with other terms, is refused", async (t) => {
  const keys = await HeldKeys.open(await folder(t), CLOCK);
  const { grant } = BODY;
  const reordered = { programs: grant.programs, measurements: grant.measurements };
  const [first, second] = await Promise.all([
    keys.put("a", BODY),
    keys.put("a", { ...BODY, grant: reordered }),
  ]);
  assert.deepEqual([first, second], [true, false]);
  const code = "KEY_TAKEN";
  await assert.rejects(keys.put("a", { ...BODY, key: filled(32, 8).toBase64() }), { code });
  await assert.rejects(keys.put("a", { ...BODY, grant: { ...grant, simulated: true } }), { code });
  assert.deepEqual(keys.get("a").grant, grant);
});

test("a key deleted, or with other terms, while it was judged is not counted", async (t) => {
  const keys = await HeldKeys.open(await folder(t), CLOCK);
  await keys.put("a", BODY);
  const before = keys.find("a");
  assert.ok(before !== undefined);
  await keys.regrant("a", { ...BODY.grant, simulated: true });
  assert.equal(await keys.countRelease(before, CLOCK.now()), false);
  const held = keys.find("a");
  assert.ok(held !== undefined);
  const removed = keys.remove("a");
  assert.equal(await keys.countRelease(held, CLOCK.now()), false);
  await removed;
  await keys.put("a", BODY);
  assert.equal(await keys.countRelease(held, CLOCK.now()), false);
  assert.equal(keys.get("a").released, 0);
});

const GRANTS: readonly (readonly [name: string, grant: KeyGrant])[] = [
  ["neither programs nor policies", { measurements: ["00".repeat(32)] }],
  ["a time that is none", { ...BODY.grant, not_after: "2026-13-01T00:00:00Z" }],
];

for (const [name, grant] of GRANTS) {
  test(`refused: terms with ${name}`, async (t) => {
    const keys = await HeldKeys.open(await folder(t), CLOCK);
    await keys.put("a", BODY);
    assert.throws(() => keys.put("b", { ...BODY, grant }), { code: "REQUEST_INVALID" });
    assert.throws(() => keys.regrant("a", grant), { code: "REQUEST_INVALID" });
    assert.deepEqual(keys.get("a").grant, BODY.grant);
  });
}

test("no more keys are kept than a bound", async (t) => {
  const keys = await HeldKeys.open(await folder(t), CLOCK, 2);
  await keys.put("a", BODY);
  await keys.put("b", BODY);
  await assert.rejects(keys.put("c", BODY), { code: "REQUEST_INVALID", message: /at most 2/ });
  assert.equal(await keys.put("b", BODY), false);
  await keys.remove("a");
  assert.equal(await keys.put("c", BODY), true);
});

test("what a write that was cut off left behind is removed", async (t) => {
  const directory = await folder(t);
  await (await HeldKeys.open(directory, CLOCK)).put("a", BODY);
  await writeFile(join(directory, "a.json.0123456789ab"), '{"key": "AAAA', { mode: 0o600 });
  await writeFile(join(directory, "notes"), "of the operator", { mode: 0o600 });
  const keys = await HeldKeys.open(directory, CLOCK);
  assert.deepEqual(await readdir(directory), ["a.json", "notes"]);
  assert.equal(keys.list().length, 1);
});

const SPOILT: readonly (readonly [name: string, spoil: (text: string) => string])[] = [
  ["half of it", (text) => text.slice(0, 60)],
  ["nothing", () => ""],
  ["another shape", (text) => text.replace('"released"', '"release"')],
  ["a key that is none", (text) => text.replace(BODY.key, BODY.key.slice(4))],
  ["a key with spare bits", (text) => text.replace("c=", "d=")],
  ["terms that are none", (text) => text.replace("00", "zz")],
];

for (const [name, spoil] of SPOILT) {
  test(`refused: a file of ${name}, without telling of the key`, async (t) => {
    const directory = await folder(t);
    await (await HeldKeys.open(directory, CLOCK)).put("a", BODY);
    const file = join(directory, "a.json");
    const text = await readFile(file, "utf8");
    assert.notEqual(spoil(text), text);
    await writeFile(file, spoil(text));
    await assert.rejects(HeldKeys.open(directory, CLOCK), (error: unknown) => {
      assert.ok(error instanceof HoldfastError);
      assert.equal(error.code, "STATE_UNUSABLE");
      assert.ok(error.message.startsWith(file), error.message);
      assert.doesNotMatch(`${error.message} ${error.cause}`, /Bwc/);
      return true;
    });
  });
}

test("refused: a file that others may read", async (t) => {
  const directory = await folder(t);
  await (await HeldKeys.open(directory, CLOCK)).put("a", BODY);
  await chmod(join(directory, "a.json"), 0o640);
  const expected = { code: "STATE_UNUSABLE", message: /a\.json: others .*chmod 600/ };
  await assert.rejects(HeldKeys.open(directory, CLOCK), expected);
});

test("refused: a file whose name no key can have", async (t) => {
  const directory = await folder(t);
  await (await HeldKeys.open(directory, CLOCK)).put("a", BODY);
  await writeFile(join(directory, "A.json"), await readFile(join(directory, "a.json")), {
    mode: 0o600,
  });
  const expected = { code: "STATE_UNUSABLE", message: /no key can have this name/ };
  await assert.rejects(HeldKeys.open(directory, CLOCK), expected);
});
