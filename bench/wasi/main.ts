// Bench of the WASI host: node bench/wasi/main.ts [--quick]
// Rows are operations, columns hosts; the numbers of a row come from the same process, round after round, so that what
// else the machine does falls on all alike. Files are 4 MiB, on a RAM disk for node:wasi, in memory for the others.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { allHosts, type Bench } from "./hosts.ts";
import { measureRuns } from "./runs.ts";

/** Operations by name and export of the guest. */
const ROWS: readonly (readonly [string, string])[] = [
  ["fd_write 4 KiB", "fd_write"],
  ["fd_read 4 KiB", "fd_read"],
  ["fd_pread 4 KiB", "fd_pread"],
  ["fd_seek", "fd_seek"],
  ["fd_filestat_get", "fd_filestat_get"],
  ["path_filestat_get", "path_filestat_get"],
  ["path_open + close", "path_open"],
  ["create + close + unlink", "create_unlink"],
  ["append 16 MiB in 4 KiB steps, a step", "append"],
  ["random_get 16 B", "random_16"],
  ["random_get 4 KiB", "random_4096"],
  ["clock_time_get", "clock_time_get"],
  ["empty call (sched_yield)", "sched_yield"],
  ["fd_readdir of 100 entries", "fd_readdir"],
];
const MIB = 1024 * 1024;
const SWEEP_BYTES = 64 * MIB;
const STEPS: readonly (readonly [string, number])[] = [
  ["64 B", 64],
  ["4 KiB", 4096],
  ["1 MiB", MIB],
];
/** The file that is appended to grows to this; a host that copies whole files would take minutes, and gets less. */
const APPEND_STEPS = 4096;
const APPEND_STEPS_COPYING = 512;
/** The processor time of a thread is counted in ticks of several milliseconds: shorter measurements say nothing. */
const MEASURED_MS = 60;

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 7;
const module = await guest();

console.log(
  `Node ${process.version}, ${rounds} rounds, median; nanoseconds, and times slower than holdfast\n`,
);
table("an operation", operations());
table("64 MiB, a step", sweeps());
console.log("| a run | median | slowest |\n| --- | ---: | ---: |");
for (const { name, median, slowest } of await measureRuns(quick ? 50 : 500)) {
  console.log(`| ${name} | ${median.toFixed(2)} ms | ${slowest.toFixed(2)} ms |`);
}

interface Row {
  readonly name: string;
  readonly nanoseconds: readonly { readonly host: string; readonly each: number }[];
}

function operations(): Row[] {
  const hosts = allHosts(module);
  for (const host of hosts) host.exports["setup"]?.(1024);
  const rows = ROWS.map(([name, call]) => {
    const copying = (host: Bench): boolean => host.name === "browser_wasi_shim";
    return measure(name, hosts, (host) => {
      if (call !== "append") return { repeat: (count) => run(host, call, [count]) };
      const steps = copying(host) ? APPEND_STEPS_COPYING : APPEND_STEPS;
      return {
        least: steps,
        repeat(count) {
          for (let done = 0; done < count; done += steps) run(host, call, [steps]);
        },
      };
    });
  });
  for (const host of hosts) host.close();
  return rows;
}

function sweeps(): Row[] {
  const hosts = allHosts(module);
  // browser_wasi_shim grows a file by copying all of it: it is left out where the file is 64 MiB.
  const able = hosts.filter(({ name }) => name !== "browser_wasi_shim");
  for (const host of able) host.exports["setup"]?.(SWEEP_BYTES / 4096);
  const rows = STEPS.flatMap(([label, step]) =>
    [0, 1].flatMap((writes) =>
      [0, 1].map((scattered) => {
        const what = `${writes === 1 ? "write" : "read"} ${label} ${scattered === 1 ? "scattered" : "in order"}`;
        return measure(what, able, (host) => ({
          repeat(count) {
            for (let left = count; left > 0; left -= SWEEP_BYTES / step) {
              const bytes = Math.min(left * step, SWEEP_BYTES);
              run(host, "sweep", [bytes, step, writes, scattered]);
            }
          },
        }));
      }),
    ),
  );
  for (const host of hosts) host.close();
  return rows;
}

/** Does an operation so many times. */
type Repeat = (count: number) => void;

/** What is repeated, and the number below which that makes no sense; numbers are that, doubled. */
interface Work {
  readonly repeat: Repeat;
  readonly least?: number;
}

/** Median over rounds in which the hosts take turns. */
function measure(name: string, hosts: readonly Bench[], repeatOn: (host: Bench) => Work): Row {
  const subjects = hosts.map((host) => {
    const { repeat, least = 16 } = repeatOn(host);
    return { host: host.name, repeat, count: enough(repeat, least), samples: [] as number[] };
  });
  for (let round = 0; round < rounds; round += 1) {
    for (const { repeat, count, samples } of subjects)
      samples.push((time(repeat, count) * 1e6) / count);
  }
  return {
    name,
    nanoseconds: subjects.map(({ host, samples }) => ({
      host,
      each: samples.sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN,
    })),
  };
}

/** How often an operation has to be done for a measurement; warms it up on the way. */
function enough(repeat: Repeat, least: number): number {
  let count = least;
  while (time(repeat, count) < MEASURED_MS) count *= 2;
  return count;
}

/** Milliseconds of this thread's processor time: what other processes take does not count. */
function time(repeat: Repeat, count: number): number {
  const from = process.threadCpuUsage();
  repeat(count);
  const { user, system } = process.threadCpuUsage(from);
  return (user + system) / 1000;
}

function run(host: Bench, call: string, values: readonly number[]): void {
  const act = host.exports[call];
  if (act === undefined) throw new Error(`the guest has no ${call}`);
  act(...values);
}

function table(title: string, rows: readonly Row[]): void {
  const hosts = rows[0]?.nanoseconds.map(({ host }) => host) ?? [];
  console.log(`| ${[title, ...hosts].join(" | ")} |`);
  console.log(`| ${["---", ...hosts.map(() => "---:")].join(" | ")} |`);
  for (const { name, nanoseconds } of rows) {
    const ours = nanoseconds[0]?.each ?? 1;
    const cells = nanoseconds.map(({ each }, index) =>
      index === 0
        ? `${each.toFixed(0)} ns`
        : `${(each / ours).toFixed(1)}x (${each.toFixed(0)} ns)`,
    );
    console.log(`| ${[name, ...cells].join(" | ")} |`);
  }
  console.log("");
}

async function guest(): Promise<WebAssembly.Module> {
  const text = readFileSync(join(import.meta.dirname, "guest.wat"), "utf8");
  const { buffer } = (await wabt()).parseWat("guest.wat", text).toBinary({});
  return WebAssembly.compile(buffer);
}
