// Reads the keep's log lines for what changes its state.
import type { Readable } from "node:stream";
import type { StateReport } from "./state-report.ts";

const MAXIMUM_LINE = 64 * 1024;

/** Tells each line of a stream; over-long lines are cut. */
export function followLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAXIMUM_LINE);
    for (const line of lines) onLine(line);
  });
}

/** Changes the state by a line of the keep. What it can't read changes nothing. */
export function noteLine(report: StateReport, line: string): void {
  const entry = readLine(line);
  if (entry === undefined) return;
  const { listen } = report.state;
  // One that was assigned before it had come to waiting does not wait any more.
  if (entry["event"] === "waiting" && listen === undefined) report.change({ state: "waiting" });
  if (entry["event"] === "attested") report.change({ state: "attested" });
  if (entry["event"] === "serving" && listen !== undefined) {
    report.change({ state: "serving", listen: { ...listen, port: Number(entry["port"]) } });
  }
  if (entry["event"] === "boot-failed") {
    report.change({ reason: `${String(entry["code"])}: ${String(entry["reason"])}` });
  }
  if (entry["event"] === "ending") report.change({ reason: String(entry["reason"]) });
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
