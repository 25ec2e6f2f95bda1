// One output stream of one run: written in pages, so that a program that writes byte by byte costs no more than its
// bytes, and read from any point, also while it grows.
const PAGE_BYTES = 64 * 1024;
const FIRST_PAGE_BYTES = 1024;

/** Bytes that a program wrote to stdout or stderr. */
export class OutputLog {
  #pages: Uint8Array[] = [];
  #inLast = 0;
  #size = 0;
  #ended = false;
  #dropped = false;
  readonly #waiting = new Set<() => void>();

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Whether the bytes were let go to make room. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /** Adds bytes; they are copied. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const page = this.#pageWithRoom();
      const part = bytes.subarray(at, at + page.length - this.#inLast);
      page.set(part, this.#inLast);
      this.#inLast += part.length;
      this.#size += part.length;
      at += part.length;
    }
    this.#wake();
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Lets the bytes go. */
  drop(): void {
    this.#pages = [];
    this.#dropped = true;
    this.end();
  }

  /** Views of the bytes from a point to what is there now. */
  *read(from = 0, to: number = this.#size): Generator<Uint8Array> {
    let start = 0;
    for (const page of this.#pages) {
      const end = Math.min(start + page.length, to);
      if (end > from && end > start) yield page.subarray(Math.max(from - start, 0), end - start);
      start += page.length;
    }
  }

  /** Views of the bytes from a point as they come, until the run has ended, or nothing came for a while. */
  async *follow(options: {
    from: number;
    quietMs: number;
    signal: AbortSignal;
  }): AsyncGenerator<Uint8Array> {
    let at = options.from;
    while (!options.signal.aborted) {
      const size = this.#size;
      if (size > at) {
        yield* this.read(at, size);
        at = size;
      } else if (this.#ended || !(await this.#more(options.quietMs, options.signal))) {
        return;
      }
    }
  }

  #pageWithRoom(): Uint8Array {
    const last = this.#pages.at(-1);
    if (last !== undefined && this.#inLast < last.length) return last;
    // Most runs write little.
    const page = new Uint8Array(last === undefined ? FIRST_PAGE_BYTES : PAGE_BYTES);
    this.#pages.push(page);
    this.#inLast = 0;
    return page;
  }

  /** Whether anything happened before the time was over. */
  #more(quietMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (woken: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", give);
        resolve(woken);
      };
      const wake = (): void => settle(true);
      const give = (): void => settle(false);
      const timer = setTimeout(give, quietMs);
      this.#waiting.add(wake);
      signal.addEventListener("abort", give, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
