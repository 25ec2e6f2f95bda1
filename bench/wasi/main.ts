// Bench of the WASI host: node bench/wasi/main.ts [--quick]
// Rows are operations, columns hosts; the numbers of a row come from the same process, round after round, so that what
// else the machine does falls on all alike. Files are 4 MiB, on a RAM disk for node:wasi, in memory for the others.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { allHosts, type Bench } from "./hosts.ts";

/** Operations, and how often one measurement does them. */
const ROWS: readonly (readonly [string, string, number])[] = [
  ["fd_write 4 KiB", "fd_write", 40_960],
  ["fd_read 4 KiB", "fd_read", 40_960],
  ["fd_pread 4 KiB", "fd_pread", 40_960],
  ["fd_seek", "fd_seek", 200_000],
  ["fd_filestat_get", "fd_filestat_get", 100_000],
  ["path_filestat_get", "path_filestat_get", 50_000],
  ["path_open + close", "path_open", 40_000],
  ["create + close + unlink", "create_unlink", 20_000],
  ["append 16 MiB in 4 KiB steps, a step", "append", 4096],
  ["random_get 16 B", "random_16", 100_000],
  ["random_get 4 KiB", "random_4096", 20_000],
  ["clock_time_get", "clock_time_get", 200_000],
  ["empty call (sched_yield)", "sched_yield", 500_000],
  ["fd_readdir of 100 entries", "fd_readdir", 10_000],
];
const MIB = 1024 * 1024;
const SWEEP_BYTES = 64 * MIB;
const STEPS: readonly (readonly [string, number])[] = [
  ["64 B", 64],
  ["4 KiB", 4096],
  ["1 MiB", MIB],
];
/** An append of a host that copies whole files would take minutes. */
const APPEND_BUDGET = 512;

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 7;
const module = await guest();

console.log(
  `Node ${process.version}, ${rounds} rounds, median; nanoseconds, and times slower than holdfast\n`,
);
table("an operation", operations());
table("64 MiB, a step", sweeps());

interface Row {
  readonly name: string;
  readonly nanoseconds: readonly { readonly host: string; readonly each: number }[];
}

function operations(): Row[] {
  const hosts = allHosts(module);
  for (const host of hosts) host.exports["setup"]?.(1024);
  const rows = ROWS.map(([name, call, count]) => {
    return measure(name, hosts, (host) => {
      const slow = host.name === "browser_wasi_shim" && call === "append";
      const times = Math.max(1, Math.floor((quick ? count / 4 : count) / 1));
      return time(host, call, slow ? [APPEND_BUDGET] : [times]);
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
        const size = step === 64 ? SWEEP_BYTES / 16 : SWEEP_BYTES;
        return measure(what, able, (host) => {
          return (time(host, "sweep", [size, step, writes, scattered]) * size) / (size / step);
        });
      }),
    ),
  );
  for (const host of hosts) host.close();
  return rows;
}

/** Median over rounds in which the hosts take turns. */
function measure(name: string, hosts: readonly Bench[], once: (host: Bench) => number): Row {
  for (const host of hosts) once(host);
  const samples = new Map(hosts.map((host) => [host.name, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const host of hosts) samples.get(host.name)?.push(once(host));
  }
  return {
    name,
    nanoseconds: [...samples].map(([host, taken]) => ({
      host,
      each: taken.sort((a, b) => a - b)[Math.floor(taken.length / 2)] ?? Number.NaN,
    })),
  };
}

/** Nanoseconds of this thread's processor time for each of the first argument: other processes do not count. */
function time(host: Bench, call: string, values: readonly number[]): number {
  const run = host.exports[call];
  if (run === undefined) throw new Error(`the guest has no ${call}`);
  const from = process.threadCpuUsage();
  run(...values);
  const { user, system } = process.threadCpuUsage(from);
  return ((user + system) * 1000) / (values[0] ?? 1);
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
