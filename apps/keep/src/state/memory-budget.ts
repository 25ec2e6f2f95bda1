// What files and runs may take together, so that a keep is never ended for want of memory: nobody else would tell its
// users why. Each run is counted with all that it could come to take, before it starts.
import { totalmem } from "node:os";
import type { Policy } from "@holdfast/policy";
import type { AdmittedModule } from "@holdfast/wasi";
import { KeepError } from "../errors.ts";

const MIB = 1024 * 1024;
const PAGE_BYTES = 64 * 1024;
/** Runs at once, whatever memory there is. */
export const MAXIMUM_AT_ONCE = 8;
/** Output is kept for its readers: a program without a limit in its policy gets this one. */
const DEFAULT_OUTPUT_BYTES = 16 * MIB;
/** Of the machine's memory; the rest is for the keep itself, its threads, and whoever else is there. */
const SHARE_OF_MACHINE = 0.75;

/** Bytes that the files may take: what the policy says of storage, or as much as one program. */
export function storageBytesOf({ terms, maxMemoryMib }: Policy): number {
  return (terms.limits.storageMib ?? maxMemoryMib) * MIB;
}

/** Bytes of stdout and stderr of a run. */
export function outputBytesOf({ terms }: Policy): number {
  return terms.limits.outputBytes ?? DEFAULT_OUTPUT_BYTES;
}

/** What a run is counted with. */
interface RunNeed {
  /** Its linear memory at the maximum. */
  readonly linearBytes: number;
  /** The files as they were when it started: it holds on to them, whoever replaces them meanwhile. */
  readonly heldBytes: number;
}

/** What a run can come to take; it may write every file anew, and up to the storage in all. */
function runBytesOf(policy: Policy, { linearBytes, heldBytes }: RunNeed): number {
  return linearBytes + heldBytes + storageBytesOf(policy) + outputBytesOf(policy);
}

/** Memory for runs, taken before they start and given back when they have ended. */
export class MemoryBudget {
  /** Bytes for all runs together. */
  readonly maximumBytes: number;
  readonly #policy: Policy;
  #takenBytes = 0;

  /** @param machineBytes memory of the machine, where the policy sets no bound of its own */
  constructor(policy: Policy, machineBytes: number = machineMemory()) {
    this.#policy = policy;
    this.maximumBytes = boundOf(policy, machineBytes) - storageBytesOf(policy);
  }

  /** Bytes that runs under way may take. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /**
   * Takes what a run of a program needs; call what is returned when it has ended.
   * @param heldBytes bytes of the files that it begins with
   * @throws KeepError RUN_MEMORY when others have it, RUN_TOO_LARGE when there is not so much in all
   */
  take({ memory }: Pick<AdmittedModule, "memory">, heldBytes: number): () => void {
    const linearBytes = memory.maximumPages * PAGE_BYTES;
    const bytes = runBytesOf(this.#policy, { linearBytes, heldBytes });
    if (bytes > this.maximumBytes) {
      throw new KeepError(
        "RUN_TOO_LARGE",
        `the run could take ${mib(bytes)} MiB, there are ${wholeMib(this.maximumBytes)} MiB for all runs`,
      );
    }
    if (this.#takenBytes + bytes > this.maximumBytes) {
      throw new KeepError(
        "RUN_MEMORY",
        `the run could take ${mib(bytes)} MiB, ${wholeMib(this.maximumBytes - this.#takenBytes)} MiB are free; try again later`,
      );
    }
    this.#takenBytes += bytes;
    let given = false;
    return () => {
      if (!given) this.#takenBytes -= bytes;
      given = true;
    };
  }
}

/** All that files and runs may take: the policy's word, or what the machine has, but never less than one run needs. */
function boundOf(policy: Policy, machineBytes: number): number {
  const { memoryMib } = policy.terms.limits;
  if (memoryMib !== undefined) return memoryMib * MIB;
  const storage = storageBytesOf(policy);
  const run = runBytesOf(policy, { linearBytes: policy.maxMemoryMib * MIB, heldBytes: storage });
  const most = storage + MAXIMUM_AT_ONCE * run;
  return Math.max(storage + run, Math.min(most, machineBytes * SHARE_OF_MACHINE));
}

/** What the machine has, or the group of processes that the keep is in. */
function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}

function wholeMib(bytes: number): number {
  return Math.floor(Math.max(bytes, 0) / MIB);
}
