// Errors for people: what happened, why, what to try.

import { ChannelError } from "@holdfast/channel";
import { ServiceRefusal } from "@holdfast/contract";
import { type Check, HoldfastError, messageOf, unmet } from "@holdfast/core";
import { PolicyError } from "@holdfast/policy";
import { EXIT } from "./exit-codes.ts";
import { HINTS } from "./hints.ts";

/** Codes of the command line's own errors. */
export type CliErrorCode =
  | "CLI_USAGE"
  | "CLI_NOTHING_TO_DO"
  | "CLI_FILE"
  | "CLI_NOT_PRIVATE"
  | "CLI_NO_PROFILE"
  | "CLI_PLAIN_HTTP"
  | "CLI_INPUT"
  | "CLI_SERVICE"
  | "CLI_PROCESS"
  | "CLI_PROGRAM"
  | "CLI_NOT_VERIFIED"
  | "CLI_CHEAT_SUCCEEDED"
  | "CLI_INTERRUPTED"
  | "CLI_INTERNAL";

/** A failure with a hint. */
export class CliError extends HoldfastError {
  declare readonly code: CliErrorCode;
  /** What the person may try. */
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(
    code: CliErrorCode,
    message: string,
    options: { cause?: unknown; hint?: string; exitCode?: number } = {},
  ) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? (code === "CLI_USAGE" ? EXIT.usage : EXIT.failed);
  }
}

/** Somebody else's error, with what this person may try. */
export class HintedError extends HoldfastError {
  readonly hint: string;

  constructor(error: HoldfastError, hint: string) {
    super(error.code, error.message, error.cause === undefined ? {} : { cause: error.cause });
    this.hint = hint;
  }
}

/** A fault inside a refused document. */
export interface FaultLine {
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

/** An error as it is shown, and as `--json` gives it. */
export interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly why?: string;
  readonly try?: string;
  readonly faults?: readonly FaultLine[];
  readonly checks?: readonly Check[];
}

/** An unknown thrown value in words. */
export function explain(thrown: unknown): Explanation {
  const code = codeOf(thrown);
  const cause = causeOf(thrown);
  const own = thrown instanceof CliError || thrown instanceof HintedError;
  const hint = (own ? thrown.hint : undefined) ?? HINTS[code];
  const faults = faultsOf(thrown);
  const checks = thrown instanceof ChannelError ? unmet(thrown.checks) : [];
  return {
    code,
    message: messageOf(thrown),
    ...(cause === undefined ? {} : { why: cause }),
    ...(hint === undefined ? {} : { try: hint }),
    ...(faults.length === 0 ? {} : { faults }),
    ...(checks.length === 0 ? {} : { checks }),
  };
}

/** The exit code an error asks for. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof CliError ? thrown.exitCode : EXIT.failed;
}

/** A permanent code, or the system's, or CLI_INTERNAL. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof HoldfastError) return thrown.code;
  const code: unknown = (thrown as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "CLI_INTERNAL";
}

function causeOf(thrown: unknown): string | undefined {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  if (cause === undefined) return undefined;
  const text = messageOf(cause);
  return text === "" || messageOf(thrown).includes(text) ? undefined : text;
}

function faultsOf(thrown: unknown): readonly FaultLine[] {
  if (thrown instanceof PolicyError || thrown instanceof ServiceRefusal) return thrown.faults;
  return [];
}
