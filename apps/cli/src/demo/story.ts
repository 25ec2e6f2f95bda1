// The demo as it is told: numbered steps, each with what was checked and how long it took, and the refusals.

import { messageOf } from "@holdfast/core";
import { CliError, codeOf } from "../errors.ts";
import { formatDuration } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** One step that was taken. */
export interface StepRecord {
  readonly step: number;
  readonly title: string;
  readonly checked: string;
  readonly ms: number;
}

/** One cheat, and how it was refused. */
export interface CheatRecord {
  readonly cheat: string;
  readonly refused: boolean;
  readonly code: string;
  readonly message: string;
  readonly ms: number;
}

/** What a step gives back: a sentence of what was checked, and what later steps need. */
export interface Told<T> {
  readonly checked: string;
  readonly value: T;
}

const WIDTH = 46;

/** Tells the demo, and remembers what was told. */
export class Story {
  readonly steps: StepRecord[] = [];
  readonly cheats: CheatRecord[] = [];
  readonly #terminal: Terminal;
  readonly #interrupted: AbortSignal;

  constructor(terminal: Terminal, interrupted: AbortSignal) {
    this.#terminal = terminal;
    this.#interrupted = interrupted;
  }

  /** A heading. */
  chapter(title: string): void {
    this.#terminal.line();
    this.#terminal.line(this.#terminal.paint("bold", title));
  }

  /** A line of its own. */
  say(text: string): void {
    this.#terminal.line(`     ${text}`);
  }

  /** Takes a step and tells it. Nothing is started once the person has had enough. */
  async step<T>(title: string, take: () => Promise<Told<T>>): Promise<T> {
    this.#requireGoOn();
    const started = performance.now();
    const progress = this.#terminal.progress(`     ${title}`);
    const { checked, value } = await take().finally(() => progress.end());
    const ms = Math.round(performance.now() - started);
    const step = this.steps.length + 1;
    this.steps.push({ step, title, checked, ms });
    const number = this.#terminal.paint("dim", String(step).padStart(3));
    const mark = this.#terminal.paint("good", "ok");
    this.#terminal.line(`${number} ${mark} ${title.padEnd(WIDTH)} ${this.#time(ms)}`);
    for (const line of checked.split("\n"))
      this.#terminal.line(`       ${this.#terminal.paint("dim", line)}`);
    return value;
  }

  /**
   * Tries a cheat, which must be refused with one of the expected codes, and for the expected reason.
   * @throws CliError CLI_CHEAT_SUCCEEDED when it is not refused, or for another reason than the right one
   */
  async cheat(
    title: string,
    expected: { codes: readonly string[]; says?: string },
    attempt: () => Promise<unknown>,
  ): Promise<void> {
    this.#requireGoOn();
    const started = performance.now();
    const progress = this.#terminal.progress(`     ${title}`);
    const thrown = await attempt().then(
      () => undefined,
      (error: unknown) => error ?? new Error("refused without a reason"),
    );
    progress.end();
    const ms = Math.round(performance.now() - started);
    const code = thrown === undefined ? "NONE" : codeOf(thrown);
    const message = thrown === undefined ? "it was not refused" : messageOf(thrown);
    const refused =
      thrown !== undefined &&
      expected.codes.includes(code) &&
      message.includes(expected.says ?? "");
    this.cheats.push({ cheat: title, refused, code, message, ms });
    const mark = refused
      ? this.#terminal.paint("good", "refused")
      : this.#terminal.paint("bad", "NOT REFUSED");
    this.#terminal.line(`    ${mark} ${title.padEnd(WIDTH)} ${this.#time(ms)}`);
    this.#terminal.line(`       ${this.#terminal.paint("dim", `${code}: ${message}`)}`);
    if (refused) return;
    throw new CliError("CLI_CHEAT_SUCCEEDED", `cheat "${title}" ended with ${code}: ${message}`, {
      hint: `${expected.codes.join(" or ")} ${expected.says ?? ""} was expected; this is a fault of Holdfast: please report it`,
      ...(thrown === undefined ? {} : { cause: thrown }),
    });
  }

  #time(ms: number): string {
    return this.#terminal.paint("dim", formatDuration(ms).padStart(8));
  }

  #requireGoOn(): void {
    if (this.#interrupted.aborted) {
      throw new CliError("CLI_INTERRUPTED", "interrupted", { exitCode: 130 });
    }
  }
}
