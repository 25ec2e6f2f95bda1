// Programs that passed admission, compiled once per content and kept for the next run.
import { type AdmittedModule, admitModule, type Content, contentBytes } from "@holdfast/wasi";

const MAXIMUM_CACHED = 16;

/** Admitted programs by digest. */
export class Programs {
  readonly #maxMemoryMib: number;
  readonly #admitted = new Map<string, Promise<AdmittedModule>>();

  constructor(maxMemoryMib: number) {
    this.#maxMemoryMib = maxMemoryMib;
  }

  /**
   * The admitted program of a content.
   * @param sha256 digest of the content, lower-case hexadecimal
   * @throws WasiError MODULE_*
   */
  admit(sha256: string, content: Content): Promise<AdmittedModule> {
    const known = this.#admitted.get(sha256);
    this.#admitted.delete(sha256);
    const admitted =
      known ?? admitModule(contentBytes(content), { maxMemoryMib: this.#maxMemoryMib });
    // Again at the end: the one that was not used for the longest time goes first.
    this.#admitted.set(sha256, admitted);
    // What was refused is no more than a name; the next upload is another content.
    admitted.catch(() => this.#admitted.delete(sha256));
    const [oldest] = this.#admitted.keys();
    if (this.#admitted.size > MAXIMUM_CACHED && oldest !== undefined) this.#admitted.delete(oldest);
    return admitted;
  }
}
