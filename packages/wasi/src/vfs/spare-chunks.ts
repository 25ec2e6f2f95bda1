// Pieces that files of a run no longer need, kept to be used again: memory that was touched before is several times
// cheaper than new memory. They never leave the run that wrote them. What is not kept is told, so that it is collected.
import { CHUNK_BYTES } from "../store/content.ts";

const MAXIMUM_SPARES = 16;

/** Whole pieces to use again. */
export class SpareChunks {
  readonly #spares: SharedArrayBuffer[] = [];
  readonly #letGo: (bytes: number) => void;

  constructor(letGo: (bytes: number) => void = () => undefined) {
    this.#letGo = letGo;
  }

  /** Takes a piece in; when there are enough, or it is not whole, it is let go. */
  give(chunk: SharedArrayBuffer): void {
    if (chunk.byteLength === CHUNK_BYTES && this.#spares.length < MAXIMUM_SPARES) {
      this.#spares.push(chunk);
    } else {
      this.#letGo(chunk.byteLength);
    }
  }

  /** A whole piece of zeros. */
  take(): SharedArrayBuffer | undefined {
    const chunk = this.#spares.pop();
    if (chunk !== undefined) new Uint8Array(chunk).fill(0);
    return chunk;
  }
}
