// Structured log lines. The host reads them: states, codes and counts, never paths, contents or output of programs.
import type { Clock } from "@holdfast/core";

/** Values that a line may carry. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes lines. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A log of JSON lines. */
export function createLog(clock: Clock, write: (line: string) => void): Log {
  const line =
    (level: string) =>
    (event: string, fields: LogFields = {}): void =>
      write(`${JSON.stringify({ time: clock.now().toISOString(), level, event, ...fields })}\n`);
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

/** A log that says nothing. */
export const silentLog: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
