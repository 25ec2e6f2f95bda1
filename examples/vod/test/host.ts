// Runs the detector program as a keep does: on the keep's WebAssembly host, with the rights that its function grants it.
// For tests and for the benchmark.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { normalizePath, parseFunctionPolicy, type RightsTable } from "@holdfast/policy";
import {
  type AdmittedModule,
  admitModule,
  contentViews,
  createSourceWorker,
  FileStore,
  Runner,
  type RunOutcome,
} from "@holdfast/wasi";
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
  readonly peakMemoryBytes: number;
  readonly durationMs: number;
}

interface Detector {
  readonly module: AdmittedModule;
  readonly rights: RightsTable;
  readonly directories: readonly string[];
}

const HOME = join(import.meta.dirname, "..");
const STORE_BYTES = 2 ** 30;

/** A host with the detector on it. Its threads stay warm from run to run. */
export interface DetectorHost {
  /** @throws Error when the program did not exit by itself */
  run(files: GuestFiles, args?: readonly string[]): Promise<GuestOutcome>;
  close(): Promise<void>;
}

/** Opens a host; the detector is built first when it is not up to date. */
export async function openDetectorHost(): Promise<DetectorHost> {
  const detector = await prepare();
  const runner = new Runner({ createWorker: createSourceWorker });
  return {
    run: (files, args = []) => runDetector(runner, detector, files, args),
    close: () => runner.close(),
  };
}

async function runDetector(
  runner: Runner,
  { module, rights, directories }: Detector,
  files: GuestFiles,
  args: readonly string[],
): Promise<GuestOutcome> {
  const store = new FileStore({ maximumBytes: STORE_BYTES });
  for (const [path, bytes] of Object.entries(files)) {
    const writer = store.openWrite(path);
    writer.write(bytes);
    writer.commit();
  }
  const printed = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const outcome = await runner.start({
    module,
    snapshot: store.snapshot(),
    rights,
    directories,
    // A policy without terms of its own gives no arguments, not even a name.
    arguments: args.length === 0 ? [] : ["detector.wasm", ...args],
    environment: {},
    clock: "system",
    random: "system",
    onOutput: (stream, bytes) => printed[stream].push(bytes),
  }).done;
  const [stdout, stderr] = [text(printed.stdout), text(printed.stderr)];
  if (outcome.exitCode === undefined) {
    throw new Error(`${outcome.state} ${outcome.reason ?? outcome.trap?.message}: ${stderr}`);
  }
  const { exitCode, peakMemoryBytes, durationMs } = outcome;
  const outputs = outputsOf(outcome);
  return { exitCode, stdout, stderr, outputs, peakMemoryBytes, durationMs };
}

async function prepare(): Promise<Detector> {
  const { path } = await buildDetector({ home: HOME, say: () => undefined });
  const { program, memoryMib } = readFunction();
  const module = await admitModule(readFileSync(path), { maxMemoryMib: memoryMib });
  return {
    module,
    rights: new Map(program.map(({ file_name, rights }) => [normalizePath(file_name), rights])),
    directories: program
      .filter(({ file_name }) => file_name.endsWith("/"))
      .map(({ file_name }) => normalizePath(file_name)),
  };
}

/** What function.json says about its one program; hashes are computed when it is registered, and are left out there. */
function readFunction(): {
  program: readonly { readonly file_name: string; readonly rights: number }[];
  memoryMib: number;
} {
  const definition = JSON.parse(readFileSync(join(HOME, "function.json"), "utf8"));
  for (const file of [...definition.programs, ...definition.data_files]) {
    file.pi_hash = "0".repeat(64);
  }
  const policy = parseFunctionPolicy(definition);
  return { program: policy.programs[0]?.file_rights ?? [], memoryMib: policy.max_memory_mib };
}

function outputsOf({ changes }: RunOutcome): Map<string, Uint8Array> {
  return new Map(
    (changes?.written ?? []).flatMap((node): [string, Uint8Array][] =>
      node.kind === "file"
        ? [[node.path, new Uint8Array(Buffer.concat([...contentViews(node.content)]))]]
        : [],
    ),
  );
}

function text(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString("utf8");
}
