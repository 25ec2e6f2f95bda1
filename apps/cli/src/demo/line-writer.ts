// Cuts a stream of bytes into lines for people. What the bytes say must not move the cursor or change colours.

const MAXIMUM_LINE = 500;

/** Gives whole lines as they come. */
export class LineWriter {
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes more bytes. */
  write(part: Uint8Array): void {
    this.#take(this.#decoder.decode(part, { stream: true }));
  }

  /** Gives what is left. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#rest !== "") this.#give(this.#rest);
    this.#rest = "";
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, MAXIMUM_LINE * 2);
    for (const line of lines) this.#give(line);
  }

  #give(line: string): void {
    const plain = line.replace(/\t/g, "  ").replace(/[\p{Cc}\p{Cf}]/gu, "");
    this.#onLine(plain.slice(0, MAXIMUM_LINE));
  }
}
