// Runs of small programs in real worker threads. For tests.
import { KNOWN_RIGHTS } from "@holdfast/policy";
import type { AdmittedModule } from "../module/admit.ts";
import type { RunOptions, RunOutcome } from "../run/options.ts";
import type { Runner } from "../run/runner.ts";
import { admit, program } from "./modules.ts";

const EVERYTHING = new Map(
  ["/", "stdin", "stdout", "stderr"].map((path) => [path, KNOWN_RIGHTS] as const),
);

/** A body that never ends. */
export const FOREVER = "(loop $again (br $again))";

/** A body that writes `hello\n` to a new file: path at 64, descriptor at 128. Wants `fileProgram`. */
export const WRITE_FILE = `
  (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 9)
    (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 128)))
  (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))`;

/** A program that imports path_open and has the path `file` at 64. */
export function fileProgram(body: string, extra = ""): string {
  return importing(
    program(body, `(data (i32.const 64) "file") ${extra}`),
    `"wasi_snapshot_preview1" "path_open" (func $path_open
      (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32))`,
  );
}

/** A program with one more import. */
export function importing(text: string, what: string): string {
  return text.replace("(memory", `(import ${what}) (memory`);
}

/** Options of a run that may do everything on an empty file system. */
export function runOptions(module: AdmittedModule, more: Partial<RunOptions> = {}): RunOptions {
  return {
    module,
    snapshot: { nodes: [] },
    rights: EVERYTHING,
    arguments: ["test"],
    environment: {},
    clock: "system",
    random: "system",
    ...more,
  };
}

/** Runs a program and collects its output. */
export async function runText(
  runner: Runner,
  text: string,
  more: Partial<RunOptions> = {},
): Promise<RunOutcome & { stdout: string }> {
  let stdout = "";
  const started = runner.start(
    runOptions(await admit(text), {
      onOutput: (stream, bytes) => {
        if (stream === "stdout") stdout += Buffer.from(bytes).toString();
      },
      ...more,
    }),
  );
  return { ...(await started.done), stdout };
}
