// Samples with known results beside the project, each as a command line of `holdfast evidence` and what it must answer.
import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../../..");
const FOLDER = resolve(ROOT, "../shared/vectors/evidence");

/** Options for a test over samples: skipped, with a reason, when they are absent. */
export const WITH_SAMPLES: { readonly skip: string | false } = {
  skip: existsSync(FOLDER) ? false : "no samples at ../shared/vectors/evidence",
};

/** One command line and what it must answer. */
export interface EvidenceCase {
  /** The sample: an entry of the index, or a case of one of its suites. */
  readonly id: string;
  /** The index's own word for the kind. */
  readonly kind: string;
  readonly verb: "verify" | "show";
  readonly argv: readonly string[];
  readonly verdict?: "affirmed" | "refused" | "not-judged";
  /** Exactly the checks that fail. */
  readonly failed?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly tcbStatus?: string | null;
  readonly advisoryIds?: readonly string[];
  readonly debug?: boolean;
}

/** A sample that no command line judges, and why. */
export interface PassedOver {
  readonly id: string;
  readonly kind: string;
  readonly why: string;
}

/** One entry of the index, as far as it is read. */
export interface IndexEntry {
  readonly id: string;
  readonly type: string;
  readonly files: readonly string[];
  readonly debug?: boolean;
  readonly checkTime?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly leafValidFrom?: string;
  readonly pck?: Readonly<Record<string, string | number>>;
  readonly evaluations?: readonly {
    readonly collateral: string;
    readonly checkTime: string;
    readonly tcbStatus: string;
    readonly advisoryIds?: readonly string[];
    readonly tcbDate?: string;
  }[];
}

/** A sample file's path. */
export function samplePath(file: string): string {
  return resolve(FOLDER, file);
}

/** A path as it stands in pages: under the samples' folder. */
export function shownPath(path: string): string {
  return path.startsWith(FOLDER) ? relative(FOLDER, path) : path;
}

/** A sample file as JSON. */
export function sampleJson<T>(file: string): T {
  return JSON.parse(readFileSync(samplePath(file), "utf8")) as T;
}

/** Entries of the index. */
export function indexEntries(): readonly IndexEntry[] {
  return WITH_SAMPLES.skip === false
    ? sampleJson<{ entries: IndexEntry[] }>("index.json").entries
    : [];
}

/** An hour after a time, when what begins then is in force. */
export function hourAfter(time: unknown): string {
  return new Date(Date.parse(String(time)) + 3_600_000).toISOString();
}

/** Claims that bind evidence to somebody, as options. */
export function bindingOf({ claims }: IndexEntry, option: string, name: string): readonly string[] {
  const value = claims?.[name];
  return typeof value === "string" && value !== "" ? [option, value] : [];
}

/** A case without what its entry says of it. */
export type MadeCase = Omit<EvidenceCase, "id" | "kind" | "verb"> & { readonly verb?: "show" };

/** The command line over an entry's first file. */
export function verifyLine(
  entry: IndexEntry,
  type: string,
  ...options: readonly string[]
): string[] {
  return [samplePath(entry.files[0] ?? ""), "--type", type, ...options];
}
