// `holdfast wasm run`: a program in the very host that keeps use, outside a keep. The guest's exit code is its own.
import { Worker } from "node:worker_threads";
import { fromHex } from "@holdfast/core";
import { KNOWN_RIGHTS, normalizePath, parseRights, withLeadingSlash } from "@holdfast/policy";
import {
  type DirectoryMapping,
  type GuestClock,
  nodeFiles,
  type OfflineOutcome,
  type RunOutcome,
  runOffline,
  WORKER_ENTRY,
} from "@holdfast/wasi";
import { type Command, Option } from "commander";
import { collected, newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { readSmallFile } from "../files.ts";

interface RunOptions {
  readonly dir?: readonly DirectoryMapping[];
  readonly env?: readonly (readonly [string, string])[];
  readonly rights?: readonly (readonly [string, number])[];
  readonly memory: number;
  readonly timeout?: number;
  readonly clock: GuestClock;
  readonly seed?: Uint8Array;
  readonly stdin?: string;
  readonly trace?: boolean;
  readonly stats?: boolean;
}

const MAXIMUM_MODULE = 512 * 1024 * 1024;
const MAXIMUM_STDIN = 256 * 1024 * 1024;
/** What a shell says of a program that a signal ended (SIGABRT): the nearest there is to a trap. */
const EXIT_TRAP = 134;

/** `wasm …`. */
export function wasmCommands(context: Context): Command {
  return newGroup("wasm", "run WebAssembly programs in the host that keeps use", [
    runCommand(context),
  ]);
}

function runCommand(context: Context): Command {
  return newCommand("run", {
    summary: "run a WASI program offline; its exit code is the command's",
    description:
      "Runs MODULE (WASI Preview 1) with directories of this machine copied in; what it changed there is written back\n" +
      "when it exits. Nothing else of this machine is in its reach. A trap ends with exit code 134. With --seed and a\n" +
      "--clock that stands still, or is off, the run is the same on every machine: the bits of NaNs are made so, too.",
    examples: [
      "holdfast wasm run program.wasm --dir .::/ -- first second",
      "holdfast wasm run program.wasm --dir data::/data --env LEVEL=3 --rights /data=r --trace",
      "holdfast wasm run program.wasm --clock 2026-01-01T00:00:00Z --seed 00ff --timeout 5000",
    ],
  })
    .argument("<module>", "the program (.wasm)")
    .argument("[arguments...]", "arguments of the program, after --")
    .addOption(
      new Option(
        "--dir <host::guest>",
        "a directory and where the program sees it; repeat for more",
      ).argParser(collected(parseDirectory, "HOST::GUEST")),
    )
    .addOption(
      new Option("--env <name=value>", "an environment variable; repeat for more").argParser(
        collected(parseVariable, "NAME=VALUE"),
      ),
    )
    .addOption(
      new Option(
        "--rights <path=rights>",
        "rights at a path, a number or letters of rwx; everything when not given",
      ).argParser(collected(parseRight, "PATH=RIGHTS, rights as a number or letters of rwx,")),
    )
    .addOption(
      new Option("--memory <mib>", "the most memory it may have")
        .default(4096)
        .argParser(parsed(wholeNumber(1, 4096), "a number of MiB from 1 to 4096")),
    )
    .addOption(
      new Option("--timeout <ms>", "end it after this time").argParser(
        parsed(wholeNumber(1, 2 ** 31 - 1), "a number of milliseconds"),
      ),
    )
    .addOption(
      new Option("--clock <clock>", "system, off, or a time at which it stands still (RFC 3339)")
        .default("system")
        .argParser(parsed(parseClock, "system, off, or a time such as 2026-01-31T12:00:00Z,")),
    )
    .addOption(
      new Option("--seed <hex>", "randomness that is the same in every run").argParser(
        parsed(parseSeed, "2 to 128 hexadecimal digits"),
      ),
    )
    .option(
      "--stdin <file>",
      'what it reads from standard input; "-" passes ours on; nothing when not given',
    )
    .option("--trace", "show each call with arguments and result on stderr")
    .option("--stats", "say on stderr how it ended, time and memory")
    .action(async (path: string, words: readonly string[], options: RunOptions) => {
      await runModule(context, path, words, options);
    });
}

async function runModule(
  context: Context,
  path: string,
  words: readonly string[],
  options: RunOptions,
): Promise<void> {
  const { terminal } = context;
  const program = await readSmallFile(path, "module", MAXIMUM_MODULE);
  const stdin = await readStdin(context, options.stdin);
  const held: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
  const writes: Promise<void>[] = [];
  const result = await runOffline({
    program,
    directories: options.dir ?? [],
    ...(options.rights === undefined ? {} : { rights: rightsTable(options.rights) }),
    arguments: [path, ...words],
    environment: Object.fromEntries(options.env ?? []),
    clock: options.clock,
    random: options.seed === undefined ? "system" : { seed: options.seed },
    ...(stdin === undefined ? {} : { stdin }),
    ...(options.timeout === undefined ? {} : { limits: { wallTimeMs: options.timeout } }),
    admission: { maxMemoryMib: options.memory },
    files: nodeFiles,
    createWorker: () => new Worker(WORKER_ENTRY),
    signal: context.interrupted,
    onOutput: (stream, bytes) => {
      if (terminal.json) held[stream].push(bytes);
      else writes.push(terminal.bytes(stream, bytes));
    },
    ...(options.trace ? { onTrace: (line: string) => terminal.note(line) } : {}),
  });
  await Promise.all(writes);
  tell(context, result, held, options);
  context.setExitCode(exitCodeFor(result.outcome));
}

function tell(
  { terminal }: Context,
  { outcome, sha256, deterministic, back, skipped }: OfflineOutcome,
  held: Record<"stdout" | "stderr", readonly Uint8Array[]>,
  { stats }: RunOptions,
): void {
  const { changes: _, ...shown } = outcome;
  if (outcome.state !== "exited") terminal.note(describe(outcome));
  else if (stats) {
    terminal.note(
      `exit code ${outcome.exitCode ?? 0}, ${Math.round(outcome.durationMs)} ms, ${outcome.peakMemoryBytes} bytes of memory${deterministic ? ", the same on every machine" : ""}`,
    );
  }
  for (const left of [...skipped, ...back.skipped]) terminal.note(`left out: ${left}`);
  const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString("utf8");
  terminal.result({
    ok: outcome.state === "exited" && (outcome.exitCode ?? 0) === 0,
    ...shown,
    sha256,
    deterministic,
    stdout: text(held.stdout),
    stderr: text(held.stderr),
    written: back.written,
    removed: back.removed,
    left_out: [...skipped, ...back.skipped],
  });
}

function describe({ state, trap, reason }: RunOutcome): string {
  const where = trap?.function === undefined ? "" : ` in ${trap.function}`;
  const why = trap?.message ?? reason;
  return `the program ${state}${why === undefined ? "" : `: ${why}`}${where}`;
}

function exitCodeFor({ state, exitCode }: RunOutcome): number {
  if (state === "exited") return exitCode ?? 0;
  if (state === "trapped") return EXIT_TRAP;
  return EXIT.failed;
}

async function readStdin(
  context: Context,
  path: string | undefined,
): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  if (path !== "-") return readSmallFile(path, "input", MAXIMUM_STDIN);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of context.stdin) {
    parts.push(part as Uint8Array);
    length += (part as Uint8Array).length;
    if (length > MAXIMUM_STDIN) {
      throw new CliError("CLI_INPUT", `standard input is over ${MAXIMUM_STDIN} bytes`);
    }
  }
  return Buffer.concat(parts);
}

/** Streams stay usable unless they are named. */
function rightsTable(given: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const streams = ["stdin", "stdout", "stderr"].map((name) => [name, KNOWN_RIGHTS] as const);
  return new Map([...streams, ...given]);
}

function parseDirectory(text: string): DirectoryMapping | undefined {
  const [host = "", guest = "", ...more] = text.split("::");
  return host === "" || guest === "" || more.length > 0 ? undefined : { host, guest };
}

function parseVariable(text: string): readonly [string, string] | undefined {
  const at = text.indexOf("=");
  return at < 1 || text.includes("\0") ? undefined : [text.slice(0, at), text.slice(at + 1)];
}

function parseRight(text: string): readonly [string, number] | undefined {
  const at = text.lastIndexOf("=");
  const rights = parseRights(text.slice(at + 1));
  if (at < 1 || rights === undefined) return undefined;
  try {
    return [normalizePath(withLeadingSlash(text.slice(0, at))), rights];
  } catch {
    return undefined;
  }
}

function parseClock(text: string): GuestClock | undefined {
  if (text === "system" || text === "off") return text;
  const fixed = new Date(text);
  return /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(fixed.getTime()) ? { fixed } : undefined;
}

function parseSeed(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2}){1,64}$/.test(text) ? fromHex(text) : undefined;
}

function wholeNumber(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text);
    return /^\d{1,10}$/.test(text) && value >= least && value <= most ? value : undefined;
  };
}
