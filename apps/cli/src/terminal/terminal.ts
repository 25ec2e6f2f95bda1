// Where a command speaks: people's lines, or with --json one object on stdout and nothing else.
import type { Writable } from "node:stream";
import { styleText } from "node:util";
import type { Explanation } from "../errors.ts";
import { type Progress, startProgress } from "./progress.ts";

/** Colours by meaning. */
export type Tone = "plain" | "dim" | "bold" | "good" | "bad" | "warn" | "accent";

/** What a terminal is made of. */
export interface TerminalOptions {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** One JSON object on stdout and nothing else. */
  readonly json: boolean;
  /** Whether lines may be redrawn: a person's terminal, and not CI. */
  readonly live: boolean;
}

/** A command's voice. */
export class Terminal {
  readonly json: boolean;
  readonly #options: TerminalOptions;
  readonly #progress = new Set<Progress>();
  #hasResult = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.json = options.json;
  }

  /** A line for people on stdout. */
  line(text = ""): void {
    if (!this.json) this.#print(this.#options.stdout, `${text}\n`);
  }

  /** Help, as it is: who asks for it wants to read it, `--json` or not. */
  help(text: string): void {
    this.#options.stdout.write(text);
  }

  /** A line for people on stderr: what goes on, beside the result. */
  note(text: string): void {
    if (!this.json) this.#print(this.#options.stderr, `${text}\n`);
  }

  /** Bytes as they are on stdout or stderr, respecting back-pressure. */
  async bytes(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
    for (const bar of this.#progress) bar.hide();
    const target = this.#options[stream];
    // Called once it is written, or can't be: a reader that went away does not hold the command.
    await new Promise<void>((resolve) => target.write(bytes, () => resolve()));
  }

  /** The command's one JSON object; people see nothing of it. */
  result(value: object): void {
    if (!this.json || this.#hasResult) return;
    this.#hasResult = true;
    this.#options.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** A failure: what happened, why, what to try. */
  failure(explanation: Explanation): void {
    this.endProgress();
    this.result({ ok: false, error: explanation });
    // Scripts around veracruz-client look for this very word.
    this.note(`${this.paint("bad", "Error:")} ${explanation.message} (${explanation.code})`);
    if (explanation.why !== undefined) this.note(`  why: ${explanation.why}`);
    for (const { code, pointer, message } of explanation.faults ?? []) {
      this.note(`  at ${pointer === "" ? "the whole" : pointer}: ${message} (${code})`);
    }
    for (const { name, outcome, detail } of explanation.checks ?? []) {
      this.note(`  ${name}: ${outcome}: ${detail}`);
    }
    if (explanation.try !== undefined) this.note(`  try: ${explanation.try}`);
  }

  /**
   * Shows that something moves, on stderr. Under a second nothing is seen of it.
   * @param total how much there is to do, when known
   */
  progress(label: string, total?: number): Progress {
    const { stderr, live } = this.#options;
    const bar = startProgress({
      write: (text) => stderr.write(text),
      label,
      ...(total === undefined ? {} : { total }),
      mode: this.json ? "silent" : live ? "live" : "lines",
      width: stderr.columns ?? 80,
      isFront: () => [...this.#progress].at(-1) === bar,
      onEnd: () => this.#progress.delete(bar),
    });
    this.#progress.add(bar);
    return bar;
  }

  /** Takes all progress off the screen. */
  endProgress(): void {
    for (const bar of this.#progress) bar.end();
  }

  /** Colours a text where colours are seen. */
  paint(tone: Tone, text: string): string {
    const format = FORMATS[tone];
    if (format === undefined || !this.#options.live) return text;
    return styleText(format, text, { stream: this.#options.stdout });
  }

  #print(target: Writable, text: string): void {
    for (const bar of this.#progress) bar.hide();
    target.write(text);
  }
}

const FORMATS: Readonly<Record<Tone, Parameters<typeof styleText>[0] | undefined>> = {
  plain: undefined,
  dim: "dim",
  bold: "bold",
  good: "green",
  bad: "red",
  warn: "yellow",
  accent: "cyan",
};
