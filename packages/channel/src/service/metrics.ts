// Counts what a service does, in the text form that Prometheus reads (exposition format 0.0.4).
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Upper bounds of the buckets of answer times, in seconds. */
const BOUNDS = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 60];
const NANO = 1e9;

interface Series {
  count: number;
  sum: number;
  readonly buckets: number[];
}

/** A number that is asked for when somebody reads the metrics. */
export type Gauge = () => Promise<ReadonlyMap<string, number>>;

/** Metrics of one service. */
export class Metrics {
  readonly #requests = new Map<string, Series>();
  readonly #gauges = new Map<string, { help: string; label: string; read: Gauge }>();
  readonly #delay = monitorEventLoopDelay();

  constructor() {
    this.#delay.enable();
  }

  /** Counts one answer. Routes are patterns, so that names from outside don't make series. */
  answered(route: string, method: string, status: number, seconds: number): void {
    const labels = `method="${method}",route="${escapeLabel(route)}",status="${status}"`;
    const series = this.#requests.get(labels) ?? { count: 0, sum: 0, buckets: BOUNDS.map(() => 0) };
    series.count += 1;
    series.sum += seconds;
    BOUNDS.forEach((bound, index) => {
      if (seconds <= bound) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
    });
    this.#requests.set(labels, series);
  }

  /** Adds a number by label, such as keeps by state. */
  gauge(name: string, help: string, label: string, read: Gauge): void {
    this.#gauges.set(name, { help, label, read });
  }

  /** Everything, as text. */
  async text(): Promise<string> {
    const lines = [...this.#requestLines(), ...this.#processLines()];
    for (const [name, { help, label, read }] of this.#gauges) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
      for (const [value, number] of await read()) {
        lines.push(`${name}{${label}="${escapeLabel(value)}"} ${number}`);
      }
    }
    return `${lines.join("\n")}\n`;
  }

  #requestLines(): string[] {
    const name = "holdfast_http_request_seconds";
    const lines = [`# HELP ${name} Time to answer.`, `# TYPE ${name} histogram`];
    for (const [labels, { count, sum, buckets }] of this.#requests) {
      BOUNDS.forEach((bound, index) => {
        lines.push(`${name}_bucket{${labels},le="${bound}"} ${buckets[index]}`);
      });
      lines.push(
        `${name}_bucket{${labels},le="+Inf"} ${count}`,
        `${name}_sum{${labels}} ${sum}`,
        `${name}_count{${labels}} ${count}`,
      );
    }
    return lines;
  }

  #processLines(): string[] {
    const { rss, heapUsed } = process.memoryUsage();
    const values = [
      ["holdfast_process_resident_bytes", "Memory of the process.", rss],
      ["holdfast_process_heap_bytes", "Memory of its JavaScript objects.", heapUsed],
      ["holdfast_process_uptime_seconds", "Time since its start.", process.uptime()],
      ["holdfast_event_loop_delay_seconds", "99th percentile.", this.#delay.percentile(99) / NANO],
    ] as const;
    return values.flatMap(([name, help, value]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} gauge`,
      `${name} ${value}`,
    ]);
  }
}

/** How many things there are of each kind. */
export function countBy<T>(all: readonly T[], kindOf: (each: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(kindOf(each), (counts.get(kindOf(each)) ?? 0) + 1);
  return counts;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
