// Runs one guest in this thread, from a job to its end.
import { Guest } from "../host/guest.ts";
import { GuestClocks } from "../host/guest-clock.ts";
import { GuestRandomness } from "../host/guest-random.ts";
import { guestImports } from "../host/imports.ts";
import { Ring } from "../host/ring.ts";
import { openAtStart } from "../host/start.ts";
import { traceCalls } from "../host/trace.ts";
import type { Collector } from "../store/collector.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { FileSystem } from "../vfs/file-system.ts";
import { policyTree } from "../vfs/policy-tree.ts";
import { captureChanges, ensureDirectory, loadSnapshot } from "../vfs/snapshot-files.ts";
import type { Job, JobEnd } from "./job.ts";
import { faultOf } from "./trap.ts";

/**
 * The memory of a guest stays until the thread's next collection, which an idle thread does not come to: after a larger
 * one the thread is given up, and its memory with it.
 */
const REUSABLE_MEMORY = 64 * 1024 * 1024;

/** Runs a job; whatever the guest does, this returns. */
export function runJob(job: Job, collector: Collector): JobEnd {
  const startedAt = performance.now();
  const guest = makeGuest(job, collector);
  const ended = execute(guest, job);
  const keeps = ended.state === "exited" || (job.keepPartialOutput && !guest.fs.altering);
  return {
    ...ended,
    ...(guest.fs.limited && ended.reason === undefined ? { reason: "RUN_STORAGE_LIMIT" } : {}),
    ...(keeps ? { changes: captureChanges(guest.fs, job.snapshot) } : {}),
    inputs: [...guest.fs.inputs].sort(),
    durationMs: performance.now() - startedAt,
    reusable: ended.state === "exited" && guest.memory.bytes.length <= REUSABLE_MEMORY,
  };
}

/** Bytes that a job made this thread hold, besides the guest's memory, which V8 counts. */
export function bytesHeld(job: Job, { changes }: JobEnd): number {
  return bytesIn(job.snapshot.nodes) + bytesIn(changes?.written ?? []) + job.stdin.length;
}

type Ended = Pick<JobEnd, "state" | "exitCode" | "trap" | "reason">;

/** How a run ends whose host was broken off in the middle of a call. */
const STACK_OVERFLOW: Ended = { state: "trapped", trap: { message: "stack overflow" } };

/** What of a job makes its guest. */
export type GuestJob = Omit<
  Job,
  "compiled" | "functions" | "memory" | "trace" | "keepPartialOutput"
>;

/** The guest of a job, before anything of it runs. */
export function makeGuest(job: GuestJob, collector?: Collector): Guest {
  const clocks = new GuestClocks(job.clock);
  const rights = new Map(job.rights);
  const limits = { bytes: bytesIn(job.snapshot.nodes) + job.storageBytes, entries: job.entries };
  const fs = new FileSystem(limits, policyTree(rights), {
    now: () => clocks.fileTime(),
    letGo: (bytes) => collector?.letGo(bytes),
  });
  // Where the clock does not go, files tell no time either.
  loadSnapshot(fs, job.snapshot, clocks.off || !clocks.goes ? clocks.fileTime() : undefined);
  for (const path of job.directories) ensureDirectory(fs, path);
  fs.changed = false;
  const guest = new Guest({
    fs,
    clocks,
    random: new GuestRandomness(job.random),
    ring: new Ring(job.ring),
    stdin: job.stdin,
    maximumDescriptors: job.descriptors,
    maximumOutput: job.outputBytes,
    arguments: job.arguments,
    environment: job.environment,
  });
  openAtStart(guest, rights, job.preopens);
  return guest;
}

function execute(guest: Guest, job: Job): Ended {
  try {
    const calls = guestImports(guest, job.trace ? traceCalls(guest) : undefined);
    const memory = job.memory === undefined ? undefined : new WebAssembly.Memory(job.memory);
    const instance = new WebAssembly.Instance(job.compiled, {
      ...calls,
      ...(memory === undefined ? {} : { env: { memory } }),
    });
    guest.memory.attach(memory ?? (instance.exports["memory"] as WebAssembly.Memory));
    guest.ring.notePeakMemory(guest.memory.bytes.length);
    const start = instance.exports["_start"] as (argc: number, argv: number) => void;
    start(0, 0);
    if (guest.ending !== undefined) return endOf(guest.ending);
    return guest.fs.altering ? STACK_OVERFLOW : { state: "exited", exitCode: 0 };
  } catch (thrown) {
    if (guest.ending !== undefined) return endOf(guest.ending);
    return guest.cutOff ? STACK_OVERFLOW : faultOf(thrown, job.functions);
  } finally {
    if (guest.memory.bytes.length === 0) guest.ring.notePeakMemory(guest.memory.refresh());
  }
}

function endOf(ending: NonNullable<Guest["ending"]>): Ended {
  return ending.state === "trapped"
    ? { state: "trapped", trap: { message: ending.message } }
    : ending;
}

function bytesIn(nodes: Snapshot["nodes"]): number {
  return nodes.reduce((sum, node) => sum + (node.kind === "file" ? node.content.size : 0), 0);
}
