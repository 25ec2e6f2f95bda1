// What we claim of the control plane, measured:
// node bench/control/main.ts [--quick] [--json] [starts|reads|uploads|memory]...   all of them when none is named
// Everything runs as processes of its own on this machine; only the keeps of `memory` are small ones (see memory.ts).
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { measureStarts } from "./instances.ts";
import { measureMemory } from "./memory.ts";
import { measureReads } from "./reads.ts";
import { measureUploads } from "./uploads.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const { quick } = values;
const [load = 0] = loadavg();
const results: Record<string, unknown> = {
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), load, node: process.version },
};

say("machine", `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${load.toFixed(1)}`);
for (const [name, measure] of Object.entries({ starts, reads, uploads, memory })) {
  if (positionals.length === 0 || positionals.includes(name)) results[name] = await measure();
}
if (values.json) console.log(JSON.stringify(results, undefined, 2));

async function starts(): Promise<unknown> {
  const times = await measureStarts({ rounds: quick ? 3 : 10 });
  for (const { name, first, median, worst } of times) {
    const [a, b, c] = [first, median, worst].map((time) => `${time.toFixed(0)} ms`);
    say(name, `first ${a}, median ${b}, worst ${c}`);
  }
  return times;
}

async function reads(): Promise<unknown> {
  const all = await measureReads({ requests: quick ? 500 : 4000, rounds: quick ? 2 : 5 });
  for (const { path, bytes, perSecond, barePerSecond } of all) {
    const share = (perSecond / barePerSecond).toFixed(2);
    const rates = `${perSecond.toFixed(0)} a second, bare ${barePerSecond.toFixed(0)}`;
    say(`GET ${path} (${bytes} bytes)`, `${rates}: ${share}`);
  }
  return all;
}

async function uploads(): Promise<unknown> {
  const result = await measureUploads({ mib: quick ? 64 : 512, rounds: quick ? 2 : 5 });
  const [bridge, direct, store] = [result.bridge, result.direct, result.store].map(medianOf);
  say("S3 through the bridge into a keep", `${bridge?.toFixed(0)} MiB/s`);
  say(
    "directly into the keep",
    `${direct?.toFixed(0)} MiB/s, the bridge's share ${share(bridge, direct)}`,
  );
  say(
    "out of the store alone",
    `${store?.toFixed(0)} MiB/s, the bridge's share ${share(bridge, store)}`,
  );
  return result;
}

async function memory(): Promise<unknown> {
  const objectBytes = quick ? 200_000_000 : 5_000_000_000;
  const result = await measureMemory({ objectBytes, fileMib: quick ? 100 : 1000 });
  say("control plane at rest", `${result.atRest} MiB`);
  const rate = `${result.bridgeMibPerSecond.toFixed(0)} MiB/s`;
  say(`peak, ${objectBytes / 1e6} MB through the bridge`, `${result.bridgePeak} MiB (${rate})`);
  say("peak, upload to CCFaaS", `${result.uploadPeak} MiB`);
  say("peak, from CCFaaS into a keep", `${result.provisionPeak} MiB`);
  return result;
}

function share(part = 0, whole = 1): string {
  return (part / whole).toFixed(2);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? 0;
}

function say(name: string, text: string): void {
  if (!values.json) console.log(`${name.padEnd(44)} ${text}`);
}
