// A process of its own that runs programs for long in one warm thread, and says how much memory it has at the most. For
// tests: `node many-runs.ts KIND COUNT` prints {"peakMib"}.

import { createSourceWorker, Runner } from "../run/runner.ts";
import { FileStore } from "../store/file-store.ts";
import { admit, program } from "./modules.ts";
import { fileProgram, importing, runOptions } from "./runs.ts";

const MIB = 1024 * 1024;
const [kind, count] = [process.argv[2], Number(process.argv[3])];

/** Writes a file of 1 MiB to descriptor 128, removes it, and so on. */
const CHURN = importing(
  fileProgram(
    `(local $n i32) (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const ${MIB}))
    (loop $again
      (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 9)
        (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 128)))
      (i32.store (i32.const 4) (i32.const 300000))
      (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))
      (i32.store (i32.const 4) (i32.const 700000))
      (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))
      (drop (call $close (i32.load (i32.const 128))))
      (drop (call $unlink (i32.const 3) (i32.const 64) (i32.const 4)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const ${count}))))`,
  ).replace(`(memory (export "memory") 1)`, `(memory (export "memory") 32)`),
  `"wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
   (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32))`,
);

const runner = new Runner({ createWorker: createSourceWorker });
let peak = 0;
const note = (): void => {
  peak = Math.max(peak, process.memoryUsage.rss() / MIB);
};
if (kind === "churn") {
  const watch = setInterval(note, 5);
  const { state } = await runner.start(runOptions(await admit(CHURN))).done;
  clearInterval(watch);
  if (state !== "exited") throw new Error(state);
} else {
  const module = await admit(
    program(
      kind === "memory"
        ? `(memory.fill (i32.const 1000) (i32.const 1) (i32.const ${30 * MIB}))`
        : "(call $say)",
    ).replace(`(memory (export "memory") 1)`, `(memory (export "memory") 500)`),
    64,
  );
  const store = new FileStore({ maximumBytes: 64 * MIB });
  const bytes = new Uint8Array(16 * MIB).fill(7);
  for (let done = 0; done < count; done += 1) {
    if (kind === "files") {
      const writer = store.openWrite("/input");
      writer.write(bytes);
      writer.commit();
    }
    const { state } = await runner.start(runOptions(module, { snapshot: store.snapshot() })).done;
    if (state !== "exited") throw new Error(state);
    note();
  }
}
await runner.close();
process.stdout.write(JSON.stringify({ peakMib: Math.round(peak) }));
