// Documents that decisions rest on, each in a file under its digest: written once, whole or not at all, never changed.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { KeptDocument } from "@holdfast/evidence";
import { writeWhole } from "./state-file.ts";

const FILE = /^[0-9a-f]{64}$/;

/** The documents in a folder. */
export class KeptDocuments {
  readonly #directory: string;
  readonly #kept: Set<string>;

  private constructor(directory: string, kept: readonly string[]) {
    this.#directory = directory;
    this.#kept = new Set(kept);
  }

  /** Opens a folder, made when it is not there. */
  static async open(directory: string): Promise<KeptDocuments> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new KeptDocuments(
      directory,
      (await readdir(directory)).filter((name) => FILE.test(name)),
    );
  }

  /** Keeps documents; answers when all are on disk. */
  async keep(documents: readonly KeptDocument[]): Promise<void> {
    for (const { sha256, bytes } of documents) {
      if (this.#kept.has(sha256)) continue;
      await writeWhole(join(this.#directory, sha256), bytes);
      this.#kept.add(sha256);
    }
  }
}
