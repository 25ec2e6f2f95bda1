// One run of a program in a keep, its output followed as it is written, its end told in words.
import type { KeepClient, Run } from "@holdfast/contract";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { formatBytes, formatDuration } from "../terminal/progress.ts";

/** Given parts of a run's output as they come. */
export type OnOutput = (stream: "stdout" | "stderr", part: Uint8Array) => Promise<void> | void;

/** Runs a program to its end; an interruption cancels the run. */
export async function runProgram(
  context: Pick<Context, "terminal" | "interrupted">,
  keep: KeepClient,
  program: string,
  onOutput?: OnOutput,
): Promise<Run> {
  const started = await keep.startRun(program);
  const cancel = (): void => {
    keep.cancelRun(started.id).catch(() => undefined);
  };
  context.interrupted.addEventListener("abort", cancel, { once: true });
  if (context.interrupted.aborted) cancel();
  const progress =
    onOutput === undefined ? context.terminal.progress(`running ${program}`) : undefined;
  try {
    const followed =
      onOutput === undefined
        ? []
        : (["stdout", "stderr"] as const).map((stream) =>
            follow(keep, started.id, stream, onOutput),
          );
    const [run] = await Promise.all([keep.waitRun(started.id), ...followed]);
    return run;
  } finally {
    progress?.end();
    context.interrupted.removeEventListener("abort", cancel);
  }
}

/** How a run ended, in words. */
export function describeRun(run: Run): string {
  const took = run.duration_ms === undefined ? "" : ` after ${formatDuration(run.duration_ms)}`;
  const memory =
    run.peak_memory_bytes === undefined ? "" : `, ${formatBytes(run.peak_memory_bytes)} of memory`;
  if (run.state === "exited") return `exit code ${run.exit_code ?? 0}${took}${memory}`;
  const where = run.trap?.function === undefined ? "" : ` in ${run.trap.function}`;
  const why = run.trap?.message ?? run.reason;
  return `${run.state}${took}${why === undefined ? "" : `: ${why}`}${where}`;
}

/**
 * Holds a run to having gone well.
 * @throws CliError CLI_PROGRAM
 */
export function requireSuccess(program: string, run: Run): void {
  if (run.state === "exited" && (run.exit_code ?? 0) === 0) return;
  throw new CliError("CLI_PROGRAM", `program ${program} failed: ${describeRun(run)}`, {
    hint: "read what it said: --result stdout=- --result stderr=-",
  });
}

async function follow(
  keep: KeepClient,
  id: string,
  stream: "stdout" | "stderr",
  onOutput: OnOutput,
): Promise<void> {
  for await (const part of await keep.runStream(id, stream, { follow: true })) {
    await onOutput(stream, part);
  }
}
