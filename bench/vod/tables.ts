// The report as text.
import type { NetworkReport } from "./measure-network.ts";
import type { SpreadReport } from "./measure-spread.ts";
import { PUBLISHED, STAGES } from "./stages.ts";

const NAMES = { tiny: "YOLOv3-tiny", full: "YOLOv3" } as Readonly<Record<string, string>>;

// A run that gets less of a core than this waited for others.
const BUSY = 0.9;

/** Stages of one network, ours beside the published ones, and native darknet's. */
export function networkTable(report: NetworkReport): string {
  const published = PUBLISHED[report.name];
  const rows = STAGES.map((stage) => {
    const [ours, theirs] = [report.median[stage], published?.[stage] ?? Number.NaN];
    return [
      stage,
      seconds(report.first[stage]),
      seconds(ours),
      seconds(report.best[stage]),
      seconds(theirs),
      `${(theirs / ours).toFixed(1)} times as fast`,
    ];
  });
  const { darknetPredict, runs, peakMemoryMib, processorShare } = report;
  const native =
    darknetPredict === undefined
      ? ["native darknet: not measured"]
      : [
          `native darknet, one thread: ${seconds(darknetPredict)} a prediction; ` +
            `${(darknetPredict / report.median.predict).toFixed(2)} times the time in the keep`,
        ];
  return [
    `${NAMES[report.name] ?? report.name} 416×416, random weights, one 1920×1080 picture, seconds`,
    table([["stage", "first run", `median of ${runs}`, "best", "original, Nitro", ""], ...rows]),
    ...native,
    `peak memory of the program: ${peakMemoryMib} MiB`,
    ...(processorShare < BUSY
      ? [`the machine had other work: the runs got ${Math.round(100 * processorShare)} % of a core`]
      : []),
  ].join("\n");
}

/** One and two instances. */
export function spreadTable({ pictures, one, two }: SpreadReport): string {
  return [
    `YOLOv3-tiny, ${pictures} pictures of 1920×1080, pictures per second with loading`,
    table([
      ["one instance", one.toFixed(2)],
      ["two instances", two.toFixed(2), `${(two / one).toFixed(2)} times`],
    ]),
  ].join("\n");
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `  ${line.trimEnd()}`)
    .join("\n");
}

function seconds(value: number): string {
  return value.toFixed(value < 0.1 ? 4 : 3);
}
