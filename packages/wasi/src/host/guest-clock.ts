// Time as the guest sees it. Off means off: no clock, no file times, no sleep. Fixed stands still, but for sleeps, which
// take no time and move it on, so that a run with the same input is the same run.
import { performance } from "node:perf_hooks";
import type { GuestClock } from "../run/options.ts";
import type { Moment } from "../vfs/nodes.ts";

/** Clock numbers of WASI. */
export const CLOCK = { realtime: 0, monotonic: 1, process: 2, thread: 3 } as const;

/** A guest's clocks. Times are nanoseconds as numbers: exact to a quarter of a microsecond for dates of today. */
export class GuestClocks {
  readonly off: boolean;
  /** The date the clock stands at, in milliseconds; undefined when it goes. */
  readonly #fixed: number | undefined;
  readonly #startedAt = performance.now();
  readonly #dateOffset = Date.now() - performance.now();
  /** Milliseconds slept by a clock that stands. */
  #slept = 0;

  constructor(clock: GuestClock) {
    this.off = clock === "off";
    this.#fixed = typeof clock === "object" ? new Date(clock.fixed).getTime() : undefined;
  }

  /** Nanoseconds of a clock that exists; -1 for one that does not. */
  time(id: number): number {
    if (this.#fixed !== undefined) return this.#fixedTime(id);
    switch (id) {
      case CLOCK.realtime:
        return Math.floor((this.#dateOffset + performance.now()) * 1e6);
      case CLOCK.monotonic:
        return Math.floor((performance.now() - this.#startedAt) * 1e6);
      case CLOCK.process:
      case CLOCK.thread:
        // The guest is the thread's only work, and waits only when it sleeps.
        return Math.floor((performance.now() - this.#startedAt) * 1e6);
      default:
        return -1;
    }
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

  #fixedTime(id: number): number {
    if (id === CLOCK.realtime) return Math.floor(((this.#fixed ?? 0) + this.#slept) * 1e6);
    return id > CLOCK.realtime && id <= CLOCK.thread ? Math.floor(this.#slept * 1e6) : -1;
  }
}
