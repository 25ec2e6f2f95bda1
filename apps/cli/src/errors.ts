// Errors for people: what happened, why, what to try.

import { ChannelError } from "@holdfast/channel";
import { ServiceRefusal } from "@holdfast/contract";
import { type Check, HoldfastError, messageOf, unmet } from "@holdfast/core";
import { PolicyError } from "@holdfast/policy";
import { EXIT } from "./exit-codes.ts";

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

const HINTS: Readonly<Record<string, string>> = {
  CHANNEL_IDENTITY:
    "give the certificate with --identity and the private key made with it with --key",
  CHANNEL_UNREACHABLE:
    "see whether the instance still runs: holdfast instance list; an identity outside the policy is cut off as well",
  CHANNEL_CLOSED:
    "the keep may have ended, or does not know this identity: holdfast policy explain POLICY",
  CHANNEL_TIMEOUT: "see whether the instance still runs: holdfast instance list",
  CHANNEL_NOT_PROVEN:
    "do not send anything to this keep; a check is skipped only with an explicit --skip-check NAME",
  SERVICE_UNREACHABLE: "start the platform with: holdfast up; or give the service's address",
  VAAS_UNREACHABLE: "start VaaS: holdfast serve vaas, or the whole platform: holdfast up",
  FUNCTION_EXISTS: "replace it with --replace, or choose another name",
  FUNCTION_NOT_FOUND: "see what is registered: holdfast function list",
  DRAFT_NOT_FOUND: "begin a new version: holdfast function publish FILE",
  VERSION_IN_USE:
    "end what uses it, or move the alias: holdfast function alias FUNCTION ALIAS VERSION",
  NAMESPACE_UNKNOWN:
    "see which there are: holdfast namespace list; make one: holdfast namespace create",
  NAMESPACE_IN_USE: "delete its functions and instances first",
  INSTANCE_EXISTS: "choose another id, or end that instance: holdfast instance delete ID",
  INSTANCE_NOT_FOUND: "see what runs: holdfast instance list",
  RATE_LIMITED: "wait a little, then try again; the administrator sets the rates",
  KEEPS_NO_PORT: "end an instance, or start the platform with room for more keeps",
  RIGHTS_MISSING: "see what the policy lets you do: holdfast policy explain POLICY",
  S3_READ_FAILED: "check bucket, object, region and credentials",
  POLICY_INVALID: "correct the places named above, then: holdfast policy check FILE",
  ENOENT: "check the spelling of the path",
  EACCES: "check the permissions of the file",
  EADDRINUSE: "another program listens there: choose other ports with --ports",
};

/** An unknown thrown value in words. */
export function explain(thrown: unknown): Explanation {
  const code = codeOf(thrown);
  const cause = causeOf(thrown);
  const own = thrown instanceof CliError || thrown instanceof HintedError;
  const hint = own ? thrown.hint : HINTS[code];
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
