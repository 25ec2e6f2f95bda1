// The demo as a person runs it, held to what it must show.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { eventually, isAlive, processesOf, type Ran, ROOT, run, start } from "./holdfast.ts";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Found {
  readonly frame: number;
  readonly label: string;
  readonly score: number;
  readonly box: Box;
}

interface DemoResult {
  readonly ok: boolean;
  readonly simulated: boolean;
  readonly policy_hash: string;
  readonly measurement: string;
  readonly frames: number;
  readonly detections: readonly Found[];
  readonly pictures: string;
  readonly outputs: readonly { name: string; path: string; sha256: string }[];
  readonly receipt: { file: string; verified: boolean };
  readonly attacker: {
    searched_files: number;
    searched_bytes: number;
    patterns: number;
    found: string[];
  };
  readonly cheats: readonly { cheat: string; refused: boolean; code: string }[];
  readonly steps: readonly { title: string; checked: string }[];
  readonly run: { state: string; exit_code: number };
}

const LINUX = process.platform === "linux" ? false : "processes are looked up in /proc";
const EXPECTED = JSON.parse(
  readFileSync(resolve(ROOT, "examples/vod/sample/expected.json"), "utf8"),
) as {
  tolerance: { overlap: number; score: number };
  frames: { index: number; detections: { label: string; score: number; box: Box }[] }[];
};

suite("the demo", () => {
  let directory: string;
  let temporary: string;
  let ran: Ran;
  let result: DemoResult;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
    temporary = join(directory, "tmp");
    await mkdir(temporary);
    ran = await run(["demo", "--json", "--out", "results"], { cwd: directory, temporary });
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    result = JSON.parse(ran.stdout) as DemoResult;
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test("says one JSON object, that all held, and that it is simulated", () => {
    assert.equal(ran.stderr, "");
    assert.equal(result.ok, true);
    assert.equal(result.simulated, true);
    assert.match(result.policy_hash, /^[0-9a-f]{64}$/);
    assert.match(result.measurement, /^[0-9a-f]{64}$/);
    assert.deepEqual([result.run.state, result.run.exit_code], ["exited", 0]);
  });

  test("finds the faces that are there, where they are, and none where there is none", () => {
    const { tolerance, frames } = EXPECTED;
    assert.equal(result.frames, frames.length);
    for (const { index: frame, detections } of frames) {
      const found = result.detections.filter((each) => each.frame === frame);
      assert.equal(found.length, detections.length, `picture ${frame}`);
      for (const { label, score, box } of detections) {
        const same = found.find(
          (each) => each.label === label && overlap(each.box, box) > tolerance.overlap,
        );
        assert.ok(same, `picture ${frame}: ${label} at ${JSON.stringify(box)}`);
        assert.ok(
          Math.abs(same.score - score) <= tolerance.score,
          `picture ${frame}: ${same.score}`,
        );
      }
    }
  });

  test("leaves a picture of every frame", () => {
    const pictures = result.outputs.filter(({ name }) => name.endsWith(".jpg"));
    assert.equal(pictures.length, result.frames);
    for (const { path } of pictures) {
      assert.deepEqual([...readFileSync(path).subarray(0, 3)], [0xff, 0xd8, 0xff], path);
    }
  });

  test("leaves a receipt that can be verified later, files and all", async () => {
    const files = result.outputs.flatMap(({ name, path }) => ["--file", `${name}=${path}`]);
    const line = ["receipt", "verify", result.receipt.file, "--policy", "results/policy.json"];
    const verified = await run([...line, ...files, "--json"], { cwd: directory });
    assert.equal(verified.code, 0, verified.stdout);
    const [first, second] = result.outputs;
    const swapped = ["--file", `${first?.name}=${second?.path}`];
    const refused = await run([...line, ...swapped], { cwd: directory });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /CLI_NOT_VERIFIED/);
  });

  test("found nothing plain outside the keep, and looked", () => {
    const { searched_files, searched_bytes, patterns, found } = result.attacker;
    assert.deepEqual(found, []);
    assert.ok(searched_files > 10 && searched_bytes > 1_000_000 && patterns > 40);
  });

  for (const cheat of [
    /request without a token/,
    /user's token at an administrator's door/,
    /changed program byte, sent/,
    /changed program byte, put/,
    /`\.\.` in a path/,
    /wrong S3 secret/,
    /identity outside the policy/,
    /another measurement/,
    /policy edited/,
    /one more reader/,
  ]) {
    test(`had refused: ${cheat.source}`, () => {
      const tried = result.cheats.filter((each) => cheat.test(each.cheat));
      assert.equal(tried.length, 1);
      assert.equal(tried[0]?.refused, true);
    });
  }

  test("had the control plane killed, and nothing was lost", () => {
    const step = result.steps.find(({ title }) => /kill -9/.test(title));
    assert.match(
      step?.checked ?? "",
      /still knows function vod_small and instance demo-1 \(ready\)/,
    );
  });

  test("leaves nothing but the results", () => {
    assert.deepEqual(readdirSync(temporary), []);
    assert.deepEqual(readdirSync(directory).sort(), ["results", "tmp"]);
  });
});

suite("Ctrl-C in the demo", { skip: LINUX }, () => {
  for (const [when, pattern, signal] of [
    ["while it starts", /Build the video detector/, "SIGINT"],
    ["when a keep runs", /User connects to the keep/, "SIGINT"],
    ["when it is asked to end", /User puts the decryption key/, "SIGTERM"],
  ] as const) {
    test(`ends everything, ${when}`, async () => {
      const temporary = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
      try {
        const demo = start(["demo"], { cwd: temporary, temporary });
        await demo.until(pattern);
        const pid = demo.child.pid ?? 0;
        const processes = processesOf(pid, temporary);
        process.kill(-pid, signal);
        const { code, stderr } = await demo.done;
        assert.equal(code, 130, stderr);
        const left = processes.filter(isAlive).map(({ command }) => command);
        assert.deepEqual(left, []);
        const folders = readdirSync(temporary).filter((name) => name.startsWith("holdfast-demo-"));
        assert.deepEqual(folders, []);
        if (when === "when a keep runs") {
          assert.ok(processes.some(({ command }) => command.includes("/loader.mjs")));
          assert.ok(processes.some(({ command }) => command.includes("--permission")));
        }
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    });
  }
});

suite("kill -9 of the demo", { skip: LINUX }, () => {
  test("leaves nothing behind: its guard ends everything", async () => {
    const temporary = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
    try {
      const demo = start(["demo"], { cwd: temporary, temporary });
      await demo.until(/User connects to the keep/);
      const processes = processesOf(demo.child.pid ?? 0, temporary);
      assert.ok(
        processes.some(({ command }) => command.includes("--permission")),
        "a keep runs",
      );
      demo.child.kill("SIGKILL");
      assert.equal((await demo.done).code, null);
      await eventually("all processes end", () => !processes.some(isAlive));
      const stage = (): boolean =>
        readdirSync(temporary).some((name) => name.startsWith("holdfast-demo-"));
      await eventually("its directory goes", () => !stage());
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
});

suite("a demo with the user's own files", () => {
  const vectors = resolve(ROOT, "../shared/vectors/vod");
  const skip = existsSync(vectors) ? false : `no vectors at ${vectors}`;

  test("finds what is in them", { skip }, async () => {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
    try {
      const video = (name: string): string => join(vectors, "video", name);
      const own = ["--model", vectors, "--model-name", "yolo-fastest-1.1-xl"];
      const files = ["--video", video("in_enc.h264"), "--key", video("key"), "--iv", video("iv")];
      const { code, stdout } = await run(["demo", "--json", "--out", "out", ...own, ...files], {
        cwd: directory,
        temporary: directory,
      });
      assert.equal(code, 0, stdout);
      const { frames, detections } = JSON.parse(stdout) as DemoResult;
      assert.equal(frames, 12);
      const labels = ["motorbike", "cat", "cup", "person"];
      for (let frame = 0; frame < frames; frame += 1) {
        const wanted = labels[Math.floor(frame / 3)];
        assert.ok(
          detections.some(
            (each) => each.frame === frame && each.label === wanted && each.score > 0.9,
          ),
          `picture ${frame}: ${wanted}`,
        );
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}
