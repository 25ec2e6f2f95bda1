// Reads the keep's log lines for what changes its state, and copies them to the log file.
import { appendFileSync } from "node:fs";
import type { Readable } from "node:stream";
import type { StateFile } from "./state-file.ts";

const MAXIMUM_LINE = 64 * 1024;

/** Copies lines to a log file and tells each one; over-long lines are cut. */
export function followLines(
  stream: Readable,
  logFile: string,
  onLine: (line: string) => void,
): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAXIMUM_LINE);
    for (const line of lines) {
      appendFileSync(logFile, `${line}\n`);
      onLine(line);
    }
  });
}

/** Changes the state by a line of the keep. What it can't read changes nothing. */
export function noteLine(state: StateFile, line: string): void {
  const entry = readLine(line);
  if (entry === undefined) return;
  if (entry["event"] === "attested") state.change({ state: "attested" });
  if (entry["event"] === "serving") {
    const port = Number(entry["port"]);
    state.change({ state: "serving", listen: { ...state.state.listen, port } });
  }
  if (entry["event"] === "boot-failed") {
    state.change({ reason: `${String(entry["code"])}: ${String(entry["reason"])}` });
  }
  if (entry["event"] === "ending") state.change({ reason: String(entry["reason"]) });
}

function readLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
