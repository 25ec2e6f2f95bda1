// What every command is given: its voice, the clock, and word when the person has had enough.
import type { Clock } from "@holdfast/core";
import type { Terminal } from "./terminal/terminal.ts";

/** Surroundings of one command. */
export interface Context {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Aborted on Ctrl-C and SIGTERM; long commands end what they started and then end. */
  readonly interrupted: AbortSignal;
  readonly stdin: NodeJS.ReadStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends with another code than 0 without an error: the guest's of `wasm run`. */
  setExitCode(code: number): void;
}
