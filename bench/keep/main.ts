// What we claim of keeps, measured: node bench/keep/main.ts [--quick] [transfers|admission|runs|starts|many]. Every number comes from real processes on this
// machine, attested by the real attestation service with simulated evidence.
import { availableParallelism, cpus, loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { startPlatform, startRealKeep } from "../../apps/keep/src/testing/real-platform.ts";
import { EXECUTE, READ, WRITE } from "../../apps/keep/src/testing/test-policy.ts";
import { LARGE_PROGRAM, measureAdmission } from "./admission.ts";
import { measureMany, measureStarts, memoryOf } from "./many-keeps.ts";
import { EMPTY_PROGRAM, measureRuns } from "./runs.ts";
import { measureTransfer } from "./transfer.ts";

const quick = process.argv.includes("--quick");
const chosen = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const MIB = 1024 * 1024;
const SUITES = ["TLS1_3_AES_128_GCM_SHA256", "TLS1_3_CHACHA20_POLY1305_SHA256"];

const platform = await startPlatform();
try {
  const [load = 0] = loadavg();
  say("machine", `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${load.toFixed(1)}`);
  say("runtime", `Node ${process.version}`);
  for (const [name, measure] of Object.entries({ transfers, admission, runs, starts, many })) {
    if (chosen.length === 0 || chosen.includes(name)) await measure();
  }
} finally {
  await platform.close();
}

async function transfers(): Promise<void> {
  for (const ciphersuite of SUITES) {
    const keep = await startRealKeep(platform, {
      rights: [{ "/in/": READ | WRITE }],
      maxMemoryMib: 1024,
      ciphersuite,
    });
    await keep.reaches("serving");
    const result = await measureTransfer(keep, {
      bytes: (quick ? 64 : 256) * MIB,
      rounds: quick ? 2 : 7,
    });
    for (const way of ["up", "down"] as const) {
      const [keepRate, plainRate, share] = [
        result.keep[way],
        result.plain[way],
        result.shares[way],
      ];
      say(
        `${way}load, ${result.suite}`,
        `${keepRate.toFixed(0)} MB/s, plain Node TLS ${plainRate.toFixed(0)} MB/s: ${share.toFixed(2)}`,
      );
    }
    keep.loader.kill("SIGTERM");
  }
}

async function admission(): Promise<void> {
  const mib = quick ? 16 : 75;
  const keep = await startRealKeep(platform, {
    rights: [{ "/program/": WRITE | EXECUTE }],
    programs: { [LARGE_PROGRAM]: {} },
    maxMemoryMib: 256,
  });
  await keep.reaches("serving");
  const { untilRunning, longestWait } = await measureAdmission(keep, mib);
  say(
    `a program of ${mib} MiB`,
    `runs after ${untilRunning.toFixed(0)} ms, others wait ${longestWait.toFixed(0)} ms at most`,
  );
  keep.loader.kill("SIGTERM");
}

async function runs(): Promise<void> {
  const keep = await startRealKeep(platform, {
    rights: [{ "/program/": WRITE | EXECUTE }],
    programs: { [EMPTY_PROGRAM]: {} },
  });
  await keep.reaches("serving");
  await pause(1000);
  const { keepMib, loaderMib } = memoryOf(keep);
  say("idle memory", `keep ${keepMib.toFixed(0)} MiB, loader ${loaderMib.toFixed(0)} MiB`);
  const result = await measureRuns(keep, { runs: quick ? 50 : 500, clients: 4 });
  const times = ({ median, p99 }: { median: number; p99: number }): string =>
    `median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  say("empty run, in the keep", times(result.insideKeep));
  say("empty run, asked and waited for over TLS", times(result.throughChannel));
  say("empty runs by 4 clients", `${result.perSecond.toFixed(0)} a second`);
  say("memory after runs", `keep ${memoryOf(keep).keepMib.toFixed(0)} MiB`);
  keep.loader.kill("SIGTERM");
}

async function starts(): Promise<void> {
  say("start to serving", `${(await measureStarts(platform, quick ? 3 : 9)).toFixed(0)} ms`);
}

async function many(): Promise<void> {
  const { count, startSeconds, totalMib, roundMs } = await measureMany(platform, quick ? 10 : 100);
  say(
    `${count} keeps at once`,
    `all serving after ${startSeconds.toFixed(1)} s, ${totalMib.toFixed(0)} MiB with their loaders, ` +
      `a file into and out of each in ${roundMs.toFixed(0)} ms`,
  );
}

function say(name: string, text: string): void {
  console.log(`${name.padEnd(42)} ${text}`);
}
