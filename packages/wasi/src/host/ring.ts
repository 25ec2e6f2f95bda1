// Streams between the guest's thread and the one that follows it: a ring of records in shared memory. The guest waits
// when it is full, so what is buffered is bounded, and what was written is there even when the thread is killed. The
// reader believes nothing of what stands there: a program that broke out into its thread could write anything.

/** Words at the beginning of the shared memory. */
const HEAD = 0;
const TAIL = 1;
const STOP = 2;
/** Numbers behind the words, in units of eight bytes. */
const PEAK_MEMORY = 2;
const BYTES_READ = 3;
const BYTES_WRITTEN = 4;
const DATA = 64;
const CAPACITY = 256 * 1024;
const LARGEST_RECORD = 64 * 1024;
const HEADER = 4;

/** What a record is for. */
export const RECORD = { stdout: 1, stderr: 2, trace: 3 } as const;

/** The shared memory of one worker. */
export function createRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA + CAPACITY);
}

/** Both ends of a ring; only one thread may write and only one may read. */
export class Ring {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #data: Uint8Array;
  /** Where the reader stands; the word in shared memory only tells the writer. */
  #tail = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared, 0, 3);
    this.#numbers = new Float64Array(shared, 0, DATA / 8);
    this.#data = new Uint8Array(shared, DATA, CAPACITY);
  }

  /** Empties everything, before a run. */
  reset(): void {
    this.#words.fill(0);
    this.#numbers.fill(0);
    this.#tail = 0;
  }

  /** Whether the run is asked to end. */
  get stopped(): boolean {
    return this.#words[STOP] !== 0;
  }

  /** Asks the run to end; a sleeping guest wakes up. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
    Atomics.notify(this.#words, STOP);
  }

  /**
   * Sleeps in the guest's thread until the time has passed or the run is asked to end; not at all when it was asked before.
   * @returns whether the time has passed
   */
  sleep(milliseconds: number): boolean {
    return Atomics.wait(this.#words, STOP, 0, milliseconds) === "timed-out";
  }

  countRead(bytes: number): void {
    this.#numbers[BYTES_READ] = (this.#numbers[BYTES_READ] ?? 0) + bytes;
  }

  countWritten(bytes: number): void {
    this.#numbers[BYTES_WRITTEN] = (this.#numbers[BYTES_WRITTEN] ?? 0) + bytes;
  }

  notePeakMemory(bytes: number): void {
    if (bytes > (this.#numbers[PEAK_MEMORY] ?? 0)) this.#numbers[PEAK_MEMORY] = bytes;
  }

  /** What was counted so far. */
  get counts(): { peakMemoryBytes: number; bytesRead: number; bytesWritten: number } {
    return {
      peakMemoryBytes: this.#count(PEAK_MEMORY),
      bytesRead: this.#count(BYTES_READ),
      bytesWritten: this.#count(BYTES_WRITTEN),
    };
  }

  /** Writes bytes in records, waiting for room. */
  write(kind: number, bytes: Uint8Array, at: number, length: number): void {
    for (let done = 0; done < length; done += LARGEST_RECORD) {
      this.#writeRecord(kind, bytes, at + done, Math.min(LARGEST_RECORD, length - done));
    }
  }

  /**
   * Takes out the records that are there now, in the order they were written; the bytes are copies. What comes
   * meanwhile stays: a guest that never stops writing does not hold its reader.
   * @returns whether there were any
   * @throws RangeError when what stands there are no records
   */
  drain(receive: (kind: number, bytes: Uint8Array<ArrayBuffer>) => void): boolean {
    const head = Atomics.load(this.#words, HEAD);
    const any = head !== this.#tail;
    while (head !== this.#tail) {
      const left = (head - this.#tail) >>> 0;
      const header = new Uint8Array(HEADER);
      this.#copyOut(header, this.#tail);
      const word = new DataView(header.buffer).getUint32(0, true);
      const length = word >>> 2;
      const size = HEADER + padded(length);
      if (left > CAPACITY || length > LARGEST_RECORD || size > left) {
        throw new RangeError("what stands in the ring are no records");
      }
      const bytes = new Uint8Array(length);
      this.#copyOut(bytes, this.#tail + HEADER);
      this.#tail = (this.#tail + size) | 0;
      Atomics.store(this.#words, TAIL, this.#tail);
      Atomics.notify(this.#words, TAIL);
      receive(word & 3, bytes);
    }
    return any;
  }

  /** Resolves when more was written than the reader has taken, or `wake` was called. */
  async readable(): Promise<void> {
    const head = Atomics.load(this.#words, HEAD);
    if (head !== this.#tail) return;
    const waiting = Atomics.waitAsync(this.#words, HEAD, head);
    if (waiting.async) await waiting.value;
  }

  /** Wakes the reader without a record. */
  wake(): void {
    Atomics.notify(this.#words, HEAD);
  }

  #count(place: number): number {
    const count = this.#numbers[place] ?? 0;
    return Number.isSafeInteger(count) && count >= 0 ? count : 0;
  }

  #writeRecord(kind: number, bytes: Uint8Array, at: number, length: number): void {
    const head = this.#words[HEAD] ?? 0;
    const size = HEADER + padded(length);
    for (;;) {
      const tail = Atomics.load(this.#words, TAIL);
      if (CAPACITY - ((head - tail) >>> 0) >= size) break;
      Atomics.wait(this.#words, TAIL, tail);
    }
    const word = length * 4 + kind;
    this.#copyIn(head, Uint8Array.of(word, word >>> 8, word >>> 16, word >>> 24));
    this.#copyIn(head + HEADER, bytes.subarray(at, at + length));
    Atomics.store(this.#words, HEAD, (head + size) | 0);
    Atomics.notify(this.#words, HEAD);
  }

  #copyIn(position: number, bytes: Uint8Array): void {
    const at = (position >>> 0) % CAPACITY;
    const first = Math.min(bytes.length, CAPACITY - at);
    this.#data.set(bytes.subarray(0, first), at);
    if (first < bytes.length) this.#data.set(bytes.subarray(first), 0);
  }

  #copyOut(bytes: Uint8Array, position: number): void {
    const at = (position >>> 0) % CAPACITY;
    const first = Math.min(bytes.length, CAPACITY - at);
    bytes.set(this.#data.subarray(at, at + first));
    if (first < bytes.length) bytes.set(this.#data.subarray(0, bytes.length - first), first);
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
