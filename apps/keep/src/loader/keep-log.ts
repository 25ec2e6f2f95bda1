// The log of a keep: the keep's own lines and the loader's. Before the keep is assigned there is no file for it; the few
// lines it has by then are held back.
import { appendFileSync } from "node:fs";
import { systemClock } from "@holdfast/core";

const MOST_HELD = 256;

/** Writes lines to a file once it is named. */
export class KeepLog {
  #held: string[] = [];
  #path: string | undefined;

  /** Adds a line. */
  add(line: string): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${line}\n`);
    else if (this.#held.length < MOST_HELD) this.#held.push(line);
  }

  /** Adds a line of the loader. */
  note(event: string, reason: string): void {
    const time = systemClock.now().toISOString();
    this.add(JSON.stringify({ time, level: "warn", by: "loader", event, reason }));
  }

  /** Names the file. */
  open(path: string): void {
    this.#path = path;
    for (const line of this.#held.splice(0)) this.add(line);
  }
}
