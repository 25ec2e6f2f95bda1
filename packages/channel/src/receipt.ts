// The words of a receipt: what a keep signs after each run. A receipt is a compact JWS (RFC 7515), ES256, whose header
// carries the keep's certificate chain (x5c) and whose payload is canonical JSON (RFC 8785).
import { type JsonValue, toText } from "@holdfast/core";
import { ChannelError } from "./errors.ts";

/** A file by digest. */
export interface ReceiptFile {
  readonly path: string;
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** A stream by digest. */
export type ReceiptStream = Omit<ReceiptFile, "path">;

/** What a receipt says. */
export interface ReceiptClaims {
  readonly version: 1;
  readonly run: string;
  readonly policy_hash: string;
  readonly measurement: string;
  readonly platform: string;
  readonly simulated: boolean;
  readonly program: { readonly path: string; readonly sha256: string };
  /** Id of the identity that started the run. */
  readonly requested_by: number;
  readonly state: string;
  readonly exit_code?: number;
  readonly trap?: { readonly message: string; readonly function?: string };
  readonly reason?: string;
  readonly started_at: string;
  readonly ended_at: string;
  readonly duration_ms: number;
  readonly peak_memory_bytes: number;
  /** Files the program read, as they were when it started. */
  readonly inputs: readonly ReceiptFile[];
  /** Files it left behind. */
  readonly outputs: readonly ReceiptFile[];
  readonly stdin: ReceiptStream;
  readonly stdout: ReceiptStream;
  readonly stderr: ReceiptStream;
}

/** The type that stands in a receipt's header. */
export const RECEIPT_TYPE = "holdfast-receipt+jws";

const STATES = ["exited", "trapped", "cancelled", "limit", "failed"];
const MAXIMUM_FILES = 100_000;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Reads a receipt's payload.
 * @throws ChannelError CHANNEL_RECEIPT
 */
export function parseReceiptClaims(payload: Uint8Array): ReceiptClaims {
  const claims = readJson(payload);
  const text = (name: string): boolean => typeof claims[name] === "string";
  const whole = (name: string): boolean => isWhole(claims[name]);
  expect(claims["version"] === 1, "version");
  for (const name of ["run", "platform", "state"]) expect(text(name), name);
  for (const name of ["policy_hash", "measurement"]) {
    expect(text(name) && HASH.test(String(claims[name])), name);
  }
  for (const name of ["started_at", "ended_at"]) {
    expect(text(name) && !Number.isNaN(Date.parse(String(claims[name]))), name);
  }
  for (const name of ["requested_by", "duration_ms", "peak_memory_bytes"]) {
    expect(whole(name), name);
  }
  expect(typeof claims["simulated"] === "boolean", "simulated");
  expect(STATES.includes(String(claims["state"])), "state");
  expect(claims["exit_code"] === undefined || Number.isInteger(claims["exit_code"]), "exit_code");
  expect(isDigested(claims["program"], { path: true, size: false }), "program");
  for (const name of ["inputs", "outputs"]) expect(isFiles(claims[name]), name);
  for (const name of ["stdin", "stdout", "stderr"]) {
    expect(isDigested(claims[name], { path: false, size: true }), name);
  }
  return claims as unknown as ReceiptClaims;
}

/** A receipt that can't be read. */
export function receiptFault(message: string, cause?: unknown): ChannelError {
  return new ChannelError("CHANNEL_RECEIPT", `not a receipt: ${message}`, { cause });
}

function readJson(payload: Uint8Array): Readonly<Record<string, JsonValue>> {
  try {
    const value = JSON.parse(toText(payload)) as JsonValue;
    if (isObject(value)) return value;
  } catch (cause) {
    throw receiptFault("the payload is not JSON", cause);
  }
  throw receiptFault("the payload is not an object");
}

function isFiles(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= MAXIMUM_FILES &&
    value.every((file) => isDigested(file, { path: true, size: true }))
  );
}

function isDigested(value: unknown, members: { path: boolean; size: boolean }): boolean {
  if (!isObject(value)) return false;
  if (members.path && typeof value["path"] !== "string") return false;
  if (members.size && !isWhole(value["size"])) return false;
  return typeof value["sha256"] === "string" && HASH.test(value["sha256"]);
}

function isWhole(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expect(holds: boolean, name: string): void {
  if (!holds) throw receiptFault(`member ${name} is missing or of another kind`);
}
