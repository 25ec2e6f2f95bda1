// Runs a command line inside the test's process, with what it says caught.
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, before } from "node:test";
import { fixedClock, systemClock } from "@holdfast/core";
import { runCli } from "../cli.ts";
import { wantsJson } from "../command.ts";
import type { Context } from "../context.ts";
import { Terminal } from "../terminal/terminal.ts";

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line. */
export async function run(
  argv: readonly string[],
  options: {
    stdin?: string;
    at?: Date;
    interrupted?: AbortSignal;
    environment?: Record<string, string>;
  } = {},
): Promise<Ran> {
  const { terminal, told } = caughtTerminal(wantsJson(argv));
  const code = await runCli(argv, {
    terminal,
    clock: options.at === undefined ? systemClock : fixedClock(options.at),
    interrupted: options.interrupted ?? new AbortController().signal,
    stdin: Readable.from([Buffer.from(options.stdin ?? "")]) as NodeJS.ReadStream,
    environment: options.environment ?? {},
  });
  return { code, ...told() };
}

/** Runs a command line with `--json` and reads its one object. */
export async function runJson(argv: readonly string[]): Promise<{
  code: number;
  value: Record<string, unknown> & { error?: { code: string; message: string } };
}> {
  const { code, stdout } = await run([...argv, "--json"]);
  return { code, value: JSON.parse(stdout) };
}

/** A terminal whose words can be read. */
export function caughtTerminal(json = false): {
  terminal: Terminal;
  told: () => { stdout: string; stderr: string };
} {
  const stdout = new Caught();
  const stderr = new Caught();
  return {
    terminal: new Terminal({ stdout, stderr, json, live: false }),
    told: () => ({ stdout: stdout.text, stderr: stderr.text }),
  };
}

/** A context for parts that need one. */
export function caughtContext(): Context & { told: () => { stdout: string; stderr: string } } {
  return {
    ...caughtTerminal(),
    clock: systemClock,
    interrupted: new AbortController().signal,
    stdin: Readable.from([]) as unknown as NodeJS.ReadStream,
    environment: {},
    setExitCode: () => undefined,
  };
}

/** Works in an empty directory of its own while a suite runs; gives its path and what is in it. */
export function inEmptyDirectory(): { path: () => string; names: () => string[] } {
  const home = process.cwd();
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-cli-test-"));
    process.chdir(directory);
  });
  after(async () => {
    process.chdir(home);
    await rm(directory, { recursive: true, force: true });
  });
  return { path: () => directory, names: () => readdirSync(directory).sort() };
}

class Caught extends Writable {
  text = "";

  override _write(part: Buffer, _encoding: string, done: () => void): void {
    this.text += part.toString("utf8");
    done();
  }
}
