// Real samples with known results stand beside the project, not in it. Tests over them are skipped, with a line that says
// so, where they are absent.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Endorsements, readEndorsements } from "../index.ts";

const FOLDER = resolve(import.meta.dirname, "../../../../../shared/vectors/evidence");

/** Options for a test over samples: skipped, with a reason, when they are absent. */
export const WITH_VECTORS: { readonly skip: string | false } = {
  skip: existsSync(FOLDER) ? false : "no samples at ../shared/vectors/evidence",
};

/** Bytes of a sample file. */
export function vectorBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(resolve(FOLDER, path)));
}

/** A sample file as JSON. */
export function vectorJson<T>(path: string): T {
  return JSON.parse(readFileSync(resolve(FOLDER, path), "utf8")) as T;
}

/** Endorsements of sample files. */
export function vectorEndorsements(...paths: readonly string[]): Endorsements {
  return readEndorsements(paths.map((name) => ({ name, bytes: vectorBytes(name) })));
}

/** One entry of the samples' index, as far as tests read it. */
export interface VectorEntry {
  readonly id: string;
  readonly type: string;
  readonly files: readonly string[];
  readonly expected?: string;
  readonly debug?: boolean;
  readonly checkTime?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly leafValidFrom?: string;
  readonly leafValidTo?: string;
  readonly trailingBytes?: number;
  readonly pck?: Readonly<Record<string, string | number>>;
  readonly evaluations?: readonly {
    readonly collateral: string;
    readonly checkTime: string;
    readonly windowFrom: string;
    readonly windowTo: string;
    readonly tcbStatus: string;
    readonly advisoryIds?: readonly string[];
    readonly tcbDate?: string;
  }[];
}

/** Entries of the index whose id starts with a prefix. */
export function vectorEntries(prefix: string): VectorEntry[] {
  if (WITH_VECTORS.skip !== false) return [];
  const { entries } = vectorJson<{ entries: VectorEntry[] }>("index.json");
  return entries.filter(({ id }) => id.startsWith(prefix));
}
