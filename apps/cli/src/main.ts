#!/usr/bin/env node
// The `holdfast` command: the only file that touches the process. What was compiled once is not compiled again at the
// next start, so the rest is loaded after the cache.
import { enableCompileCache } from "node:module";
import { COMPILE_CACHE } from "./processes/checkout.ts";

enableCompileCache(COMPILE_CACHE);

const interruption = new AbortController();
let interruptions = 0;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interruptions += 1;
    interruption.abort();
    // Whoever insists is obeyed: the guard ends what is left.
    if (interruptions > 2) process.exit(130);
  });
}
// A reader that went away, `| head` for example, is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") interruption.abort();
});

const { isCI, isTTY } = await import("@clack/prompts");
const { systemClock } = await import("@holdfast/core");
const { runCli } = await import("./cli.ts");
const { wantsJson } = await import("./command.ts");
const { Terminal } = await import("./terminal/terminal.ts");

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
