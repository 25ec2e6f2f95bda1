// Programs that passed admission, compiled once per content and kept for the next run. What is kept is bounded by number
// and by size, and one is compiled after the other: whoever may put programs in can't fill the keep with them.
import { type AdmittedModule, type Content, WasiError } from "@holdfast/wasi";
import type { RunStarter } from "./lazy-runner.ts";

const MAXIMUM_CACHED = 16;
/** Bytes of modules that are kept together; compiled code takes a few times as much. One may be larger. */
const MAXIMUM_CACHED_BYTES = 128 * 1024 * 1024;

interface Cached {
  readonly size: number;
  readonly admitted: Promise<AdmittedModule>;
}

/** Admitted programs by digest. */
export class Programs {
  readonly #runner: Pick<RunStarter, "admit">;
  readonly #maxMemoryMib: number;
  readonly #cached = new Map<string, Cached>();
  #last: Promise<unknown> = Promise.resolve();
  /** Bytes of programs that are being admitted, or wait for it: they are held, whoever replaces their files meanwhile. */
  #held = 0;

  constructor(runner: Pick<RunStarter, "admit">, maxMemoryMib: number) {
    this.#runner = runner;
    this.#maxMemoryMib = maxMemoryMib;
  }

  /**
   * The admitted program of a content.
   * @param sha256 digest of the content, lower-case hexadecimal
   * @throws WasiError MODULE_*, RUN_NO_THREAD, RUN_CLOSED
   */
  admit(sha256: string, content: Content): Promise<AdmittedModule> {
    const known = this.#cached.get(sha256);
    const { admitted } = known ?? { admitted: this.#inTurn(sha256, content) };
    this.#cached.delete(sha256);
    // Again at the end: the one that was not used for the longest time goes first.
    this.#cached.set(sha256, { size: content.size, admitted });
    // What was refused is no more than a name; the next upload is another content.
    if (known === undefined) admitted.catch(() => this.#cached.delete(sha256));
    this.#forget();
    return admitted;
  }

  /**
   * Admits a program that is likely to be run, save when so much waits already that it can as well be admitted when it is: who
   * puts programs in faster than they are admitted would have the keep hold them all.
   */
  prepare(sha256: string, content: Content): void {
    if (this.#held > 0 && this.#held + content.size > MAXIMUM_CACHED_BYTES) return;
    // What is wrong with it is said when it is started.
    this.admit(sha256, content).catch(() => undefined);
  }

  #inTurn(sha256: string, content: Content): Promise<AdmittedModule> {
    this.#held += content.size;
    const admitted = this.#last.then(() => this.#admitOne(sha256, content));
    this.#last = admitted
      .catch(() => undefined)
      .then(() => {
        this.#held -= content.size;
      });
    return admitted;
  }

  /** What was checked is a copy: it must be of the bytes that the digest is of. */
  async #admitOne(sha256: string, content: Content): Promise<AdmittedModule> {
    const admitted = await this.#runner.admit(content, { maxMemoryMib: this.#maxMemoryMib });
    if (admitted.sha256 === sha256) return admitted;
    throw new WasiError("MODULE_MALFORMED", "its bytes are not those of its digest any more");
  }

  #forget(): void {
    let bytes = [...this.#cached.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [sha256, { size }] of this.#cached) {
      const fits = this.#cached.size <= MAXIMUM_CACHED && bytes <= MAXIMUM_CACHED_BYTES;
      if (fits || this.#cached.size === 1) return;
      this.#cached.delete(sha256);
      bytes -= size;
    }
  }
}
