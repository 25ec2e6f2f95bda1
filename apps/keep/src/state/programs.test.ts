// Programs that are kept compiled: by content, few enough, and one after the other.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import {
  type Content,
  createSourceAdmission,
  createSourceWorker,
  FileStore,
  WasiError,
} from "@holdfast/wasi";
import { printing, wat } from "../testing/programs.ts";
import { lazyRunner } from "./lazy-runner.ts";
import { Programs } from "./programs.ts";

const MIB = 1024 * 1024;
const runner = lazyRunner({ forRuns: createSourceWorker, forAdmission: createSourceAdmission });
after(() => runner.close());

/** A sound program, with a custom section that makes it as large as wanted and unlike others. */
async function program(mark: number, padding = 0): Promise<{ sha256: string; content: Content }> {
  const module = await wat(printing("x"));
  const body = new Uint8Array(padding + 8);
  body.set([3, 0x70, 0x61, 0x64, mark, mark >> 8]);
  const length = [0, 7, 14, 21].map(
    (shift) => ((body.length >> shift) & 127) | (shift < 21 ? 128 : 0),
  );
  const bytes = Buffer.concat([module, Uint8Array.from([0, ...length]), body]);
  const store = new FileStore({ maximumBytes: 256 * MIB });
  const writer = store.openWrite("/p");
  writer.write(bytes);
  writer.commit();
  return { sha256: createHash("sha256").update(bytes).digest("hex"), content: store.content("/p") };
}

test("a program is compiled once, however often it is asked for", async () => {
  const programs = new Programs(runner, 16);
  const { sha256, content } = await program(1);
  const [first, second] = [programs.admit(sha256, content), programs.admit(sha256, content)];
  assert.equal(first, second);
  assert.equal((await first).sha256, sha256);
});

test("the one not used for the longest goes when there are seventeen", async () => {
  const programs = new Programs(runner, 16);
  const all = await Promise.all(Array.from({ length: 17 }, (_, mark) => program(mark)));
  const given = all.map(({ sha256, content }) => programs.admit(sha256, content));
  const again = (place: number) => programs.admit(all[place]!.sha256, all[place]!.content);
  assert.equal(again(16), given[16]);
  assert.equal(again(1), given[1]);
  assert.notEqual(again(0), given[0]);
  assert.equal(again(1), given[1], "what was used again stays");
  await Promise.all(given);
});

test("large ones go before they are many, the newest stays", async () => {
  const programs = new Programs(runner, 16);
  const large = await Promise.all([1, 2, 3].map((mark) => program(mark, 60 * MIB)));
  const given = large.map(({ sha256, content }) => programs.admit(sha256, content));
  const again = (place: number) => programs.admit(large[place]!.sha256, large[place]!.content);
  assert.equal(again(2), given[2]);
  assert.equal(again(1), given[1]);
  assert.notEqual(again(0), given[0]);
  await Promise.all(given);
});

test("one that is refused does not hold up the next, and is not kept", async () => {
  const programs = new Programs(runner, 16);
  const store = new FileStore({ maximumBytes: MIB });
  const writer = store.openWrite("/bad");
  writer.write(Buffer.from("not a module"));
  writer.commit();
  const bad = programs.admit("bad", store.content("/bad"));
  const { sha256, content } = await program(1);
  const good = programs.admit(sha256, content);
  await assert.rejects(bad, { code: "MODULE_MALFORMED" });
  assert.equal((await good).sha256, sha256);
  const again = programs.admit("bad", store.content("/bad"));
  assert.notEqual(again, bad);
  await assert.rejects(again, { code: "MODULE_MALFORMED" });
});

test("programs that come faster than they are admitted are not held until then", async () => {
  const asked: number[] = [];
  const endings: (() => void)[] = [];
  const slow = {
    admit: ({ size }: Content) => {
      asked.push(size);
      return new Promise<never>((_resolve, reject) =>
        endings.push(() => reject(new WasiError("RUN_NO_THREAD", "as slow as wanted"))),
      );
    },
  };
  const programs = new Programs(slow, 16);
  const sizes = [100, 20, 60, 70].map((mib) => mib * MIB);
  for (const size of sizes) programs.prepare(`${size}`, { size, chunks: [] });
  for (let turns = 0; turns < 100 && asked.length < 2; turns += 1) {
    endings.shift()?.();
    await new Promise(setImmediate);
  }
  assert.deepEqual(asked, sizes.slice(0, 2), "the others would be over the bound");
  endings.shift()?.();
  await new Promise(setImmediate);
  programs.prepare("larger than the bound", { size: 200 * MIB, chunks: [] });
  await new Promise(setImmediate);
  assert.equal(asked.at(-1), 200 * MIB, "one may be larger");
});

test("a program with another digest than its own is refused", async () => {
  const programs = new Programs(runner, 16);
  const { content } = await program(1);
  await assert.rejects(programs.admit("00".repeat(32), content), { code: "MODULE_MALFORMED" });
});
