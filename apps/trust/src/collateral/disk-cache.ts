// Answers of sources on disk, one file each, written whole or not at all. What is read back is judged anew: the disk is
// trusted no more than the source was.
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fromBase64, messageOf, toBase64 } from "@holdfast/core";
import type { EndorsementFile } from "@holdfast/evidence";
import { Type } from "typebox";
import { readState, writeState } from "../services/state-file.ts";

/** A kept answer. */
export interface KeptAnswer {
  readonly fetchedAt: Date;
  readonly files: readonly EndorsementFile[];
}

/** Told what could not be used, and why. */
export type Report = (what: string, reason: string) => void;

const MOST_FILES = 1024;
const LONGEST = 4 * 1024 * 1024;
const FILE = /^[0-9a-f]{64}\.json$/;
/** What a write that was cut off leaves behind. */
const DRAFT = /^[0-9a-f]{64}\.json\.[0-9a-f]+$/;

const KeptFile = Type.Object(
  {
    name: Type.String({ maxLength: 1024 }),
    fetched_at: Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$" }),
    files: Type.Array(
      Type.Object({ name: Type.String({ maxLength: 256 }), bytes: Type.String() }),
      { maxItems: 2 },
    ),
  },
  { additionalProperties: false },
);

/** The answers in a directory. */
export class DiskCache {
  readonly #directory: string;
  /** Names of files, the one written longest ago first. */
  readonly #files: Set<string>;
  readonly #report: Report;

  private constructor(directory: string, files: readonly string[], report: Report) {
    this.#directory = directory;
    this.#files = new Set(files);
    this.#report = report;
  }

  /** Opens a directory, made when it is not there. */
  static async open(directory: string, report: Report): Promise<DiskCache> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const dated: { entry: string; written: number }[] = [];
    for (const entry of await readdir(directory)) {
      const path = join(directory, entry);
      if (DRAFT.test(entry)) await rm(path, { force: true });
      else if (FILE.test(entry)) dated.push({ entry, written: (await stat(path)).mtimeMs });
      else report(path, "no file of the collateral cache");
    }
    const files = dated.toSorted((a, b) => a.written - b.written).map(({ entry }) => entry);
    return new DiskCache(directory, files, report);
  }

  /** The answer kept under a name; one that can't be read is reported, and is not there. */
  async read(name: string): Promise<KeptAnswer | undefined> {
    const file = fileOf(name);
    if (!this.#files.has(file)) return undefined;
    const path = join(this.#directory, file);
    try {
      const { size } = await stat(path);
      if (size > LONGEST) throw new RangeError(`${size} bytes, at most ${LONGEST} expected`);
      const kept = await readState(path, KeptFile);
      if (kept === undefined) return undefined;
      if (kept.name !== name) throw new RangeError("it is another document's");
      return {
        fetchedAt: new Date(kept.fetched_at),
        files: kept.files.map((each) => ({ name: each.name, bytes: fromBase64(each.bytes) })),
      };
    } catch (thrown) {
      // Whatever is wrong with a cache, its source can be asked again.
      this.#report(path, messageOf(thrown));
      return undefined;
    }
  }

  /** Keeps an answer in place of an earlier one; what was written longest ago makes room. */
  async write(name: string, { fetchedAt, files }: KeptAnswer): Promise<void> {
    const file = fileOf(name);
    const value = {
      name,
      fetched_at: fetchedAt.toISOString(),
      files: files.map((each) => ({ name: each.name, bytes: toBase64(each.bytes) })),
    };
    try {
      await writeState(join(this.#directory, file), value);
      this.#files.delete(file);
      this.#files.add(file);
      const [oldest] = this.#files;
      if (this.#files.size > MOST_FILES && oldest !== undefined) {
        this.#files.delete(oldest);
        await rm(join(this.#directory, oldest), { force: true });
      }
    } catch (thrown) {
      // A full disk costs the next start a question to the source, nothing more.
      this.#report(file, messageOf(thrown));
    }
  }
}

function fileOf(name: string): string {
  return `${createHash("sha256").update(name).digest("hex")}.json`;
}
