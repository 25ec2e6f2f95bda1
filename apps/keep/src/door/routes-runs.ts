// Routes of runs: start, list, look at or wait for, follow, cancel, receipt.
import { toText } from "@holdfast/core";
import { KeepError } from "../errors.ts";
import {
  cancelRun,
  maySee,
  type OutputName,
  readableOutput,
  seenRun,
} from "../services/run-access.ts";
import { startRun } from "../services/start-run.ts";
import type { KeepState } from "../state/keep-state.ts";
import type { RunRecord } from "../state/run-record.ts";
import { type Answer, type Exchange, json, optional, type Route } from "./exchange.ts";
import { lengthOf } from "./routes-files.ts";

const MAXIMUM_START = 16 * 1024;
const MAXIMUM_WAIT_SECONDS = 60;
/** A followed stream ends when nothing came for so long; whoever follows asks again from where it stopped. */
const QUIET_MS = 15_000;
const MAXIMUM_LISTED = 100;

/** Routes of runs. */
export function runRoutes(keep: KeepState): Route[] {
  return [
    { method: "POST", path: "/v1/runs", handle: (exchange) => start(keep, exchange) },
    { method: "GET", path: "/v1/runs", handle: ({ caller }) => json({ runs: list(keep, caller) }) },
    { method: "GET", path: "/v1/runs/:id", handle: (exchange) => look(keep, exchange) },
    {
      method: "DELETE",
      path: "/v1/runs/:id",
      handle: async ({ caller, parameters }) =>
        json(describeRun(await cancelRun(keep, caller, parameters["id"] ?? ""))),
    },
    ...(["stdout", "stderr"] as const).map(
      (stream): Route => ({
        method: "GET",
        path: `/v1/runs/:id/${stream}`,
        handle: (exchange) => output(keep, exchange, stream),
      }),
    ),
    { method: "GET", path: "/v1/runs/:id/receipt", handle: (exchange) => receipt(keep, exchange) },
  ];
}

/** A run in the words of the contract. */
export function describeRun(run: RunRecord): Record<string, unknown> {
  const { id, program, startedAt, end } = run;
  const started = { id, program, started_at: startedAt.toISOString() };
  if (end === undefined) return { ...started, state: "running" };
  const { outcome, at } = end;
  return {
    ...started,
    state: outcome.state,
    ...(outcome.exitCode === undefined ? {} : { exit_code: outcome.exitCode }),
    ...(outcome.trap === undefined ? {} : { trap: outcome.trap }),
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    duration_ms: outcome.durationMs,
    peak_memory_bytes: outcome.peakMemoryBytes,
    bytes_read: outcome.bytesRead,
    bytes_written: outcome.bytesWritten,
    ended_at: at.toISOString(),
  };
}

async function start(keep: KeepState, { caller, body }: Exchange): Promise<Answer> {
  const program = readProgram(await body.whole(MAXIMUM_START));
  const run = await startRun(keep, caller, program);
  return { ...json(describeRun(run), 201), headers: { location: `/v1/runs/${run.id}` } };
}

function readProgram(bytes: Uint8Array): string {
  try {
    const { program, ...more } = JSON.parse(toText(bytes)) as Record<string, unknown>;
    if (typeof program === "string" && Object.keys(more).length === 0) return program;
  } catch {
    // Said below.
  }
  throw new KeepError("REQUEST_INVALID", "an object with one member, program, is expected");
}

function list(keep: KeepState, caller: Exchange["caller"]): Record<string, unknown>[] {
  const seen = keep.runs.all().filter((run) => maySee(caller, run));
  return seen.slice(0, MAXIMUM_LISTED).map(describeRun);
}

async function look(keep: KeepState, exchange: Exchange): Promise<Answer> {
  const run = seenRun(keep, exchange.caller, exchange.parameters["id"] ?? "");
  const seconds = Math.min(lengthOf(optional(exchange.query, "wait")) ?? 0, MAXIMUM_WAIT_SECONDS);
  if (run.end === undefined && seconds > 0) await endOr(run, seconds * 1000, exchange.signal);
  return json(describeRun(run));
}

function endOr(run: RunRecord, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, milliseconds);
    signal.addEventListener("abort", settle, { once: true });
    run.ended.then(settle, settle);
  });
}

function output(keep: KeepState, exchange: Exchange, stream: OutputName): Answer {
  const { caller, parameters, query, signal } = exchange;
  const from = lengthOf(optional(query, "from")) ?? 0;
  const run = readableOutput(keep, caller, { id: parameters["id"] ?? "", stream, from });
  const log = run[stream];
  const headers = { "content-type": "application/octet-stream" };
  if (optional(query, "follow") === "1") {
    const parts = log.follow({ from, quietMs: QUIET_MS, signal });
    return { status: 200, headers, stream: run.handOut(stream, caller.id, from, parts) };
  }
  const size = log.size;
  return {
    status: 200,
    headers: { ...headers, "content-length": String(Math.max(size - from, 0)) },
    stream: run.handOut(stream, caller.id, from, log.read(from, size)),
  };
}

async function receipt(keep: KeepState, { caller, parameters }: Exchange): Promise<Answer> {
  const run = seenRun(keep, caller, parameters["id"] ?? "");
  if (run.end === undefined) {
    throw new KeepError("RUN_NOT_ENDED", "the run has not ended; its receipt is signed then");
  }
  return { status: 200, text: await run.receipt };
}
