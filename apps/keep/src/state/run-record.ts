// One run as the keep remembers it.
import type { RunOutcome } from "@holdfast/wasi";
import { OutputLog } from "./output-log.ts";

/** How a run ended. */
export interface RunEnd {
  readonly outcome: RunOutcome;
  readonly at: Date;
}

/** A run, from its start. */
export class RunRecord {
  readonly id: string;
  /** Normalised path of the program. */
  readonly program: string;
  /** Id of the identity that started it. */
  readonly starter: number;
  readonly startedAt: Date;
  readonly stdout: OutputLog = new OutputLog();
  readonly stderr: OutputLog = new OutputLog();
  /** Resolves when the run has ended and what it wrote stands. */
  readonly ended: Promise<RunEnd>;
  /** The signed receipt; follows the end. */
  readonly receipt: Promise<string>;
  readonly #handedOut = new Map<string, number>();
  #end: RunEnd | undefined;
  #cancel: (() => void) | undefined;
  #settleEnd: (end: RunEnd) => void = () => undefined;
  #settleReceipt: (receipt: Promise<string>) => void = () => undefined;

  constructor(given: { id: string; program: string; starter: number; startedAt: Date }) {
    this.id = given.id;
    this.program = given.program;
    this.starter = given.starter;
    this.startedAt = given.startedAt;
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
    this.receipt = new Promise((resolve) => {
      this.#settleReceipt = resolve;
    });
    // Whoever asks for it sees why there is none.
    this.receipt.catch(() => undefined);
  }

  /** How it ended; undefined while it runs. */
  get end(): RunEnd | undefined {
    return this.#end;
  }

  /** Whether a reader goes on exactly where its last answer from a stream stopped. */
  continues(stream: "stdout" | "stderr", reader: number, from: number): boolean {
    return this.#handedOut.get(`${stream} ${reader}`) === from;
  }

  /** The same parts; how far a reader has come is noted as they are handed out. */
  async *handOut(
    stream: "stdout" | "stderr",
    reader: number,
    from: number,
    parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    let at = from;
    this.#handedOut.set(`${stream} ${reader}`, at);
    for await (const part of parts) {
      at += part.length;
      this.#handedOut.set(`${stream} ${reader}`, at);
      yield part;
    }
  }

  /** Tells how to cancel it. */
  onCancel(cancel: () => void): void {
    this.#cancel = cancel;
  }

  /** Ends the run; harmless when it has ended. */
  cancel(): void {
    this.#cancel?.();
  }

  /** Notes the end. */
  settle(end: RunEnd, receipt: (end: RunEnd) => Promise<string>): void {
    this.#end = end;
    this.#cancel = undefined;
    this.stdout.end();
    this.stderr.end();
    this.#settleReceipt(receipt(end));
    this.#settleEnd(end);
  }
}
