// Debian's clang with wasi-libc, a peer: C programs for tests.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why C programs can't be compiled here; undefined when they can. Where peers are required, this throws instead. */
export function clangMissing(): string | undefined {
  const there = existsSync("/usr/bin/clang") && existsSync("/usr/lib/wasm32-wasi/libc.a");
  if (there) return undefined;
  const reason =
    "clang and wasi-libc are not installed (Debian: clang lld wasi-libc libclang-rt-dev-wasm32)";
  if (process.env["HOLDFAST_PEERS"] === "required") throw new Error(reason);
  return reason;
}

/** Compiles one of the programs beside this file. */
export function compileC(name: string): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-wasi-"));
  try {
    const output = join(directory, "program.wasm");
    const source = join(import.meta.dirname, "programs", name);
    // With optimisation clang calls wasm-opt where there is one, which takes the names of functions away.
    execFileSync("/usr/bin/clang", ["--target=wasm32-wasi", "-O0", source, "-o", output]);
    return readFileSync(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
