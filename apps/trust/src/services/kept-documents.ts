// Documents that decisions rest on, each in a file under its digest: written once, whole or not at all, never changed. Whoever
// asks may bring documents nobody has seen, so what is written in a minute has a bound.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@holdfast/core";
import type { KeptDocument } from "@holdfast/evidence";
import { writeWhole } from "./state-file.ts";

/** New bytes in a window: more than honest platforms bring, less than fills a disk soon. */
const MOST_BYTES = 16 * 1024 * 1024;
const WINDOW_MS = 60_000;
const FILE = /^[0-9a-f]{64}$/;

/** The documents in a folder. */
export class KeptDocuments {
  readonly #directory: string;
  readonly #kept: Set<string>;
  readonly #clock: Clock;
  #windowEnds = 0;
  #written = 0;

  private constructor(directory: string, kept: readonly string[], clock: Clock) {
    this.#directory = directory;
    this.#kept = new Set(kept);
    this.#clock = clock;
  }

  /** Opens a folder, made when it is not there. */
  static async open(directory: string, clock: Clock): Promise<KeptDocuments> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const kept = (await readdir(directory)).filter((name) => FILE.test(name));
    return new KeptDocuments(directory, kept, clock);
  }

  /**
   * Keeps documents, all or none.
   * @param always for whoever was let in: those may not be kept from the log by others who fill it
   * @returns whether they are all on disk; false when the new ones were too much for this minute
   */
  async keep(documents: readonly KeptDocument[], always = false): Promise<boolean> {
    const fresh = documents.filter(({ sha256 }) => !this.#kept.has(sha256));
    const bytes = fresh.reduce((sum, each) => sum + each.bytes.length, 0);
    if (!always && !this.#take(bytes)) return false;
    for (const { sha256, bytes } of fresh) {
      await writeWhole(join(this.#directory, sha256), bytes);
      this.#kept.add(sha256);
    }
    return true;
  }

  #take(bytes: number): boolean {
    const now = this.#clock.now().getTime();
    if (now >= this.#windowEnds) [this.#windowEnds, this.#written] = [now + WINDOW_MS, 0];
    if (this.#written + bytes > MOST_BYTES) return false;
    this.#written += bytes;
    return true;
  }
}
