import assert from "node:assert/strict";
import { createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { HoldfastError } from "@holdfast/core";
import { caughtTerminal, inEmptyDirectory } from "../testing/run.ts";
import { detectionTable, parseDetections } from "./detections.ts";
import { withoutOwnJudgement } from "./hostile-keep.ts";
import { LineWriter } from "./line-writer.ts";
import { Story } from "./story.ts";
import { bringVideo, encryptVideo } from "./video.ts";

suite("the demo's video", () => {
  const directory = inEmptyDirectory();

  test("is encrypted with AES-128-CTR under a fresh key of its owner's alone", async () => {
    const plain = randomBytes(3_000_001);
    writeFileSync("plain", plain);
    const video = await encryptVideo("plain", directory.path());
    const decipher = createDecipheriv("aes-128-ctr", readFileSync("key"), readFileSync("iv"));
    assert.deepEqual(
      Buffer.concat([decipher.update(readFileSync("in_enc.h264")), decipher.final()]),
      plain,
    );
    assert.equal(statSync("key").mode & 0o777, 0o600);
    assert.ok(video.samples.length > 40);
    for (const sample of video.samples) {
      assert.ok(plain.includes(sample));
      assert.ok(!readFileSync("in_enc.h264").includes(sample));
    }
    const again = await encryptVideo("plain", directory.path());
    assert.notDeepEqual(again.key, video.key);
  });

  test("that is brought encrypted gives samples of its plain bytes", async () => {
    const plain = randomBytes(100_000);
    writeFileSync("plain", plain);
    const { samples } = await encryptVideo("plain", directory.path());
    const brought = await bringVideo({ path: "in_enc.h264", keyPath: "key", ivPath: "iv" });
    assert.deepEqual(brought.samples, samples);
  });

  test("is refused with a key of another length", async () => {
    writeFileSync("in", "x");
    writeFileSync("short", new Uint8Array(15));
    writeFileSync("right", new Uint8Array(16));
    const files = { path: "in", keyPath: "right", ivPath: "right" };
    await assert.rejects(bringVideo({ ...files, keyPath: "short" }), { code: "CLI_INPUT" });
    await assert.rejects(bringVideo({ ...files, ivPath: "short" }), { code: "CLI_INPUT" });
  });
});

suite("the demo's story", () => {
  const story = (): Story => new Story(caughtTerminal().terminal, new AbortController().signal);
  const fault = (): Promise<never> => Promise.reject(new HoldfastError("RIGHT", "for this reason"));

  test("a cheat that is refused for its reason goes on", async () => {
    const told = story();
    await told.cheat("c", { codes: ["RIGHT"], says: "this reason" }, fault);
    assert.equal(told.cheats[0]?.refused, true);
  });

  for (const [what, expected, attempt] of [
    ["succeeds", { codes: ["RIGHT"] }, () => Promise.resolve()],
    ["is refused with another code", { codes: ["OTHER"] }, fault],
    ["is refused for another reason", { codes: ["RIGHT"], says: "that reason" }, fault],
  ] as const) {
    test(`a cheat that ${what} ends the demo`, async () => {
      const told = story();
      await assert.rejects(told.cheat("c", expected, attempt), { code: "CLI_CHEAT_SUCCEEDED" });
      assert.equal(told.cheats[0]?.refused, false);
    });
  }

  test("nothing starts after an interruption", async () => {
    const interruption = new AbortController();
    interruption.abort();
    const told = new Story(caughtTerminal().terminal, interruption.signal);
    const never = (): Promise<never> => assert.fail("must not be taken");
    await assert.rejects(told.step("s", never), { code: "CLI_INTERRUPTED" });
  });
});

suite("what the program says", () => {
  test("detections are read and shown a line a picture", () => {
    const box = { x: 1.2, y: 2, width: 3, height: 4 };
    const report = parseDetections(
      JSON.stringify({
        frames: [
          { index: 0, detections: [{ label: "a\u001b[2J", score: 0.5, box }] },
          { index: 1, detections: [] },
        ],
      }),
    );
    assert.equal(report.detections[0]?.label, "a?[2J");
    const rows = detectionTable(report);
    assert.match(rows[0] ?? "", /50\.0 %/);
    assert.match(rows[1] ?? "", /nothing found/);
  });

  for (const text of [
    "",
    "{}",
    '{"frames":[{}]}',
    '{"frames":[{"index":0,"detections":[{"label":"a"}]}]}',
  ]) {
    test(`detections that are none are refused: ${text}`, () => {
      assert.throws(() => parseDetections(text), { code: "CLI_SERVICE" });
    });
  }

  test("lines are cut, and can't move the cursor", () => {
    const lines: string[] = [];
    const writer = new LineWriter((line) => lines.push(line));
    for (const part of ["one\ntw", "o\x1b[31m\r\n", "\tthree"]) writer.write(Buffer.from(part));
    writer.write(Buffer.from("x".repeat(5000)));
    writer.end();
    assert.deepEqual(lines.slice(0, 2), ["one", "two[31m"]);
    assert.match(lines[2] ?? "", /^ {2}three/);
    assert.ok((lines[2] ?? "").length <= 500);
  });
});

suite("the demo's hostile keep", () => {
  const judgement =
    'if (!verdict.affirmed) {\n    throw new BootError(\n "BOOT_CERTIFICATE", "no")';

  test("has its own judgement cut out, and nothing else", () => {
    const other = "if (!verdict.affirmed) { return 1 }";
    const cut = withoutOwnJudgement(`${other};${judgement}; }`);
    assert.equal(cut, `${other};${judgement.replace("!verdict.affirmed", "false")}; }`);
  });

  for (const [fault, source] of [
    ["no judgement", "judge();"],
    ["two", `${judgement}; } ${judgement}; }`],
  ] as const) {
    test(`is not made of a bundle with ${fault}`, () => {
      assert.throws(() => withoutOwnJudgement(source), { code: "CLI_PROCESS" });
    });
  }
});
