// A file that is read again when it has changed: looked at when what is in it is needed, but not more than once a second.
import { readFile, stat } from "node:fs/promises";
import { type Clock, messageOf } from "@holdfast/core";
import { ControlError } from "../errors.ts";

const LOOK_MS = 1000;

/** What a file says. A fault in it later on is reported, and what it said before goes on. */
export class WatchedFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  readonly #clock: Clock;
  readonly #onFault: (fault: string) => void;
  #value: T;
  #state: string;
  #lookedAt: number;

  private constructor(
    options: WatchedFileOptions<T>,
    { value, state }: { value: T; state: string },
  ) {
    this.#path = options.path;
    this.#parse = options.parse;
    this.#clock = options.clock;
    this.#onFault = options.onFault;
    this.#value = value;
    this.#state = state;
    this.#lookedAt = options.clock.now().getTime();
  }

  /**
   * Reads a file for the first time.
   * @throws ControlError CONFIG_INVALID when it can't be read
   */
  static async open<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
    const { path, parse } = options;
    try {
      const state = await stateOf(path);
      return new WatchedFile(options, { state, value: parse(await readFile(path, "utf8")) });
    } catch (cause) {
      throw new ControlError(500, "CONFIG_INVALID", `${path}: ${messageOf(cause)}`, { cause });
    }
  }

  /** What the file says, as of a second ago at most. */
  async value(): Promise<T> {
    const now = this.#clock.now().getTime();
    if (Math.abs(now - this.#lookedAt) >= LOOK_MS) {
      this.#lookedAt = now;
      await this.look();
    }
    return this.#value;
  }

  /** Looks now. */
  async look(): Promise<void> {
    try {
      const state = await stateOf(this.#path);
      if (state === this.#state) return;
      // Before the reading: what is written while it is read is read again.
      this.#state = state;
      this.#value = this.#parse(await readFile(this.#path, "utf8"));
    } catch (thrown) {
      this.#onFault(`${this.#path}: ${messageOf(thrown)}; what it said before goes on`);
    }
  }
}

interface WatchedFileOptions<T> {
  readonly path: string;
  /** Throws for what makes no sense. */
  readonly parse: (text: string) => T;
  readonly clock: Clock;
  readonly onFault: (fault: string) => void;
}

async function stateOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs} ${size} ${ino}`;
}
