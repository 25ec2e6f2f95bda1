// Runs the detector program as a keep does: its files in, its prints, exit code and output files out.
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";
import { buildDetector } from "../build-detector.ts";

/** Files by their path in the keep. */
export type GuestFiles = Readonly<Record<string, Uint8Array>>;

/** How a run ended. */
export interface GuestOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the program wrote, by path. */
  readonly outputs: ReadonlyMap<string, Uint8Array>;
}

const DIRECTORIES = ["program_data", "s3_app_input", "user_input", "output", "program_internal"];

/** Runs the detector, which is built first when it is not up to date. */
export async function runDetector(
  files: GuestFiles,
  args: readonly string[] = [],
): Promise<GuestOutcome> {
  const module = await detectorModule();
  const root = mkdtempSync(join(tmpdir(), "holdfast-vod-guest-"));
  try {
    for (const directory of DIRECTORIES) {
      mkdirSync(join(root, "files", directory), { recursive: true });
    }
    for (const [name, bytes] of Object.entries(files))
      writeFileSync(join(root, "files", name), bytes);
    const [stdout, stderr] = [join(root, "stdout"), join(root, "stderr")];
    const [out, err] = [openSync(stdout, "w"), openSync(stderr, "w")];
    const wasi = new WASI({
      version: "preview1",
      args: ["detector.wasm", ...args],
      preopens: { "/": join(root, "files") },
      stdout: out,
      stderr: err,
      returnOnExit: true,
    });
    const imports = wasi.getImportObject() as Record<string, Record<string, unknown>>;
    const exitCode = wasi.start(new WebAssembly.Instance(module, imports));
    closeSync(out);
    closeSync(err);
    const output = join(root, "files", "output");
    const outputs = readdirSync(output).map((name): [string, Uint8Array] => {
      return [`/output/${name}`, new Uint8Array(readFileSync(join(output, name)))];
    });
    return {
      exitCode,
      stdout: readFileSync(stdout, "utf8"),
      stderr: readFileSync(stderr, "utf8"),
      outputs: new Map(outputs),
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

let built: Promise<WebAssembly.Module> | undefined;

function detectorModule(): Promise<WebAssembly.Module> {
  const home = join(import.meta.dirname, "..");
  built ??= buildDetector({ home, say: () => undefined }).then(
    ({ path }) => new WebAssembly.Module(readFileSync(path)),
  );
  return built;
}
