// Many patterns looked for in one pass, in parts of a file or of memory that are too big to hold.

/** Something to look for. */
export interface Pattern {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** Looks for patterns in bytes that come part by part. */
export class PatternSearch {
  /** Names of what was found. */
  readonly found = new Set<string>();
  /** How many bytes of the part before must stand in front of the next. */
  readonly overlap: number;
  readonly #byPrefix = new Map<number, Pattern[]>();
  readonly #starts = new Uint8Array(1 << 16);

  constructor(patterns: readonly Pattern[]) {
    this.overlap = Math.max(0, ...patterns.map(({ bytes }) => bytes.length - 1));
    for (const pattern of patterns) {
      const [first = 0, second] = pattern.bytes;
      if (second === undefined) throw new RangeError("a pattern has two bytes at least");
      const prefix = first | (second << 8);
      this.#starts[prefix] = 1;
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), pattern]);
    }
  }

  /** Looks through one part. */
  search(part: Uint8Array): void {
    const starts = this.#starts;
    for (let at = 0; at + 1 < part.length; at += 1) {
      const prefix = (part[at] as number) | ((part[at + 1] as number) << 8);
      if (starts[prefix] === 1) this.#compare(part, at, prefix);
    }
  }

  #compare(part: Uint8Array, at: number, prefix: number): void {
    for (const { what, bytes } of this.#byPrefix.get(prefix) ?? []) {
      let same = 2;
      while (same < bytes.length && part[at + same] === bytes[same]) same += 1;
      if (same === bytes.length) this.found.add(what);
    }
  }
}
