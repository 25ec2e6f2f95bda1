// Time as the guest sees it. Off means off: no clock, no file times, no sleep. Fixed stands still, but for sleeps, which
// take no time and move it on, so that a run with the same input is the same run.
import { hrtime } from "node:process";
import type { GuestClock } from "../run/options.ts";
import type { Moment } from "../vfs/nodes.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** Clock numbers of WASI. */
export const CLOCK = { realtime: 0, monotonic: 1, process: 2, thread: 3 } as const;

const NANOSECONDS = 1_000_000n;
/** Reads the machine's monotonic clock, whose zero is arbitrary; the cheapest there is in JavaScript. */
const machineTime: () => bigint = hrtime.bigint;

/** A guest's clocks. Times are nanoseconds. */
export class GuestClocks {
  readonly off: boolean;
  /** The date the clock stands at, in milliseconds; undefined when it goes. */
  readonly #fixed: number | undefined;
  /** What the machine's clock is ahead of the guest's, the date and the monotonic one. */
  readonly #sinceStart = machineTime();
  readonly #sinceEpoch = this.#sinceStart - BigInt(Date.now()) * NANOSECONDS;
  /** Milliseconds slept by a clock that stands. */
  #slept = 0;

  constructor(clock: GuestClock) {
    this.off = clock === "off";
    this.#fixed = typeof clock === "object" ? new Date(clock.fixed).getTime() : undefined;
  }

  /** Nanoseconds of a clock that exists, exact to a quarter of a microsecond for dates of today; -1 for one that does not. */
  time(id: number): number {
    if (id < CLOCK.realtime || id > CLOCK.thread) return -1;
    return this.#fixed === undefined ? Number(this.#read(id)) : this.#fixedTime(id, this.#fixed);
  }

  /** Writes the nanoseconds of a clock into memory, exact. @returns false for a clock that does not exist */
  write(id: number, memory: GuestMemory, at: number): boolean {
    if (id < CLOCK.realtime || id > CLOCK.thread) return false;
    if (this.#fixed !== undefined) memory.setU64(at, this.#fixedTime(id, this.#fixed));
    else memory.setBigU64(at, BigInt.asUintN(64, this.#read(id)));
    return true;
  }

  /** Nanoseconds between readings; -1 for a clock that does not exist. */
  resolution(id: number): number {
    return id >= CLOCK.realtime && id <= CLOCK.thread ? 1000 : -1;
  }

  /** The time that is written on files. */
  fileTime(): Moment {
    if (this.off) return 0;
    return this.#fixed === undefined ? Date.now() : this.#fixed + this.#slept;
  }

  /** Whether sleeping really waits. */
  get goes(): boolean {
    return this.#fixed === undefined;
  }

  /** Moves a standing clock on. */
  skip(milliseconds: number): void {
    this.#slept += milliseconds;
  }

  /** The guest is its thread's only work, and waits only when it sleeps: its time on the processor is the time since its start. */
  #read(id: number): bigint {
    return machineTime() - (id === CLOCK.realtime ? this.#sinceEpoch : this.#sinceStart);
  }

  #fixedTime(id: number, fixed: number): number {
    return Math.floor((id === CLOCK.realtime ? fixed + this.#slept : this.#slept) * 1e6);
  }
}
