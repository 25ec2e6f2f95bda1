// Progress on stderr: a bar that is redrawn on a terminal, a line now and then in a log, silence for machines.
// Own drawing, because the prompt library's spinner takes the keyboard and ends the process on Ctrl-C, and what has
// started processes must end them first.

/** Moves as work goes on. */
export interface Progress {
  /** How much is done so far, and of how much, when that became known. */
  update(done: number, total?: number): void;
  /** Takes it off the screen until the next drawing. */
  hide(): void;
  /** Takes it off the screen for good. */
  end(): void;
}

/** How progress is shown. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  readonly label: string;
  readonly total?: number;
  readonly mode: "live" | "lines" | "silent";
  readonly width: number;
  /** Only one of several is drawn: the one that was started last. */
  readonly isFront: () => boolean;
  readonly onEnd: () => void;
}

const FIRST_MS = 400;
const LIVE_MS = 100;
const LINES_MS = 5000;
const BAR = 24;

/** Starts to show progress. */
export function startProgress(options: ProgressOptions): Progress {
  const started = performance.now();
  let done = 0;
  let { total } = options;
  let shown = false;
  const hide = (): void => {
    if (shown && options.mode === "live") options.write("\r\x1b[2K");
    shown = false;
  };
  const draw = (): void => {
    const elapsed = performance.now() - started;
    if (options.mode === "silent" || elapsed < FIRST_MS || !options.isFront()) return;
    const text = describe(options.label, done, total, elapsed);
    if (options.mode === "live") options.write(`\r\x1b[2K${text.slice(0, options.width - 1)}`);
    else options.write(`${text}\n`);
    shown = true;
  };
  const timer = setInterval(draw, options.mode === "live" ? LIVE_MS : LINES_MS);
  timer.unref();
  return {
    update: (value, of) => {
      done = value;
      total = of ?? total;
    },
    hide,
    end: () => {
      clearInterval(timer);
      hide();
      options.onEnd();
    },
  };
}

/** A size in the largest unit that keeps three digits. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A duration in words that fit it. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

function describe(label: string, done: number, total: number | undefined, elapsed: number): string {
  const time = formatDuration(elapsed);
  if (done === 0) return `${label} … ${time}`;
  const speed = `${formatBytes((done / elapsed) * 1000)}/s`;
  if (total === undefined || total === 0) return `${label} ${formatBytes(done)} ${speed} ${time}`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  const bar = `${"━".repeat(filled)}${"─".repeat(BAR - filled)}`;
  return `${label} ${bar} ${Math.floor(share * 100)} % of ${formatBytes(total)} ${speed}`;
}
