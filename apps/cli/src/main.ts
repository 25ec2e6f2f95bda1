#!/usr/bin/env node
// The `holdfast` command: the only file that touches the process.
import { isCI, isTTY } from "@clack/prompts";
import { systemClock } from "@holdfast/core";
import { runCli } from "./cli.ts";
import { wantsJson } from "./command.ts";
import { Terminal } from "./terminal/terminal.ts";

const interruption = new AbortController();
let interruptions = 0;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interruptions += 1;
    interruption.abort();
    // Whoever insists is obeyed, even if something stays behind.
    if (interruptions > 2) process.exit(130);
  });
}
// A reader that went away, `| head` for example, is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") interruption.abort();
});

// `npm run` moves to the repository's root; people name files from where they are.
const from = process.env["INIT_CWD"];
const isNpmRun = ["holdfast", "demo"].includes(process.env["npm_lifecycle_event"] ?? "");
if (isNpmRun && from !== undefined) process.chdir(from);

const argv = process.argv.slice(2);
process.exitCode = await runCli(argv, {
  terminal: new Terminal({
    stdout: process.stdout,
    stderr: process.stderr,
    json: wantsJson(argv),
    live: isTTY(process.stderr) && !isCI(),
  }),
  clock: systemClock,
  interrupted: interruption.signal,
  stdin: process.stdin,
  environment: process.env,
});
