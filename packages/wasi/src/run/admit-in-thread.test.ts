// Admission in a thread: the verdicts of admission itself, and an end whatever becomes of the thread.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { admitModule } from "../module/admit.ts";
import { type Content, contentBytes } from "../store/content.ts";
import { FileStore } from "../store/file-store.ts";
import { assemble } from "../testing/modules.ts";
import { admitInThread, createSourceAdmission, type ThreadedAdmission } from "./admit-in-thread.ts";
import type { CreateWorker } from "./options.ts";

const LIMITS = { maxMemoryMib: 16 };
const SOUND = `(module (memory (export "memory") 1) (func (export "_start")
  (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))))`;

test("what is admitted is what admission itself admits, and runs here", async () => {
  const content = stored(await assemble(SOUND));
  const { compiled, ...rest } = await admitted(content);
  const { compiled: _own, ...expected } = await admitModule(contentBytes(content), LIMITS);
  assert.deepEqual(rest, expected);
  const { exports } = new WebAssembly.Instance(compiled);
  (exports["_start"] as () => void)();
  const memory = exports["memory"] as WebAssembly.Memory;
  assert.equal(new Uint8Array(memory.buffer).at(-1), 7);
});

test("what is refused is refused with the same words", async () => {
  const refused: Record<string, Uint8Array> = {
    MODULE_MALFORMED: Buffer.from("no module"),
    MODULE_MEMORY: await assemble(`(module (func (export "_start")))`),
    MODULE_ENTRY: await assemble(`(module (memory (export "memory") 1))`),
  };
  for (const [code, bytes] of Object.entries(refused)) {
    const own = await admitModule(bytes, LIMITS).catch((thrown: Error) => thrown);
    assert.ok(own instanceof Error);
    await assert.rejects(admitted(stored(bytes)), { code, message: own.message });
  }
});

test("a thread that the machine does not give", async () => {
  const none = (): never => {
    throw new Error("no threads left");
  };
  await assert.rejects(admitted(undefined, none), { code: "RUN_NO_THREAD" });
});

test("a thread that ends, or fails, without an answer", async () => {
  for (const source of ["process.exit()", "throw new RangeError('Array buffer allocation failed')"])
    await assert.rejects(
      admitted(undefined, () => new Worker(source, { eval: true })),
      {
        code: "RUN_NO_THREAD",
      },
    );
});

test("a program that takes more memory than its thread has", async () => {
  const greedy = (): Worker =>
    new Worker("const held = []; for (;;) held.push({});", {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: 8 },
    });
  await assert.rejects(admitted(undefined, greedy), { code: "MODULE_TOO_LARGE" });
});

test("a file that is too large for a program is not even copied", async () => {
  const bytes = 128 * 1024 * 1024;
  const untouched = (): never => {
    throw new Error("a thread was started");
  };
  await assert.rejects(admitted({ size: bytes + 1, chunks: [] }, untouched), {
    code: "MODULE_TOO_LARGE",
    message: `${bytes + 1} bytes, at most ${bytes} are admitted`,
  });
  await assert.rejects(admitted({ size: bytes, chunks: [] }, untouched), { code: "RUN_NO_THREAD" });
});

test("given up before it began, and while it waits", async () => {
  const silent = (): Worker => new Worker("setInterval(() => undefined, 1000)", { eval: true });
  const stop = new AbortController();
  const waiting = admitted(undefined, silent, stop.signal);
  stop.abort();
  await assert.rejects(waiting, { code: "RUN_CLOSED" });
  await assert.rejects(admitted(undefined, silent, stop.signal), { code: "RUN_CLOSED" });
});

function admitted(
  content: Content = { size: 0, chunks: [] },
  createWorker: CreateWorker = createSourceAdmission,
  signal: AbortSignal = new AbortController().signal,
): ReturnType<typeof admitInThread> {
  return admitInThread({
    content,
    limits: LIMITS,
    createWorker,
    signal,
  } satisfies ThreadedAdmission);
}

function stored(bytes: Uint8Array): Content {
  const store = new FileStore({ maximumBytes: 16 * 1024 * 1024 });
  const writer = store.openWrite("/p");
  writer.write(bytes);
  writer.commit();
  return store.content("/p");
}
