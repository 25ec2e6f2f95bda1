// "What an attacker saw", told with a hexdump: the machines in between held ciphertext, and the search says so.
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../errors.ts";
import { BUILT } from "../processes/checkout.ts";
import { keepsUnder } from "../processes/leftover-keeps.ts";
import { formatBytes } from "../terminal/progress.ts";
import {
  entropy,
  hexdump,
  keyForms,
  readStart,
  searchFiles,
  searchMemory,
  searchOne,
} from "./attacker.ts";
import type { Scene } from "./job.ts";
import type { Pattern } from "./pattern-search.ts";
import type { JobOutcome } from "./run-steps.ts";

/** What was searched, and that nothing was found. */
export interface AttackerView {
  readonly searched_files: number;
  readonly searched_bytes: number;
  /** Null where the system does not let us look into memory. */
  readonly searched_memory_bytes: number | null;
  /** The same search in the keep's own memory, which only a real TEE hides; null where we may not look. */
  readonly found_in_simulated_keep: readonly string[] | null;
  readonly patterns: number;
  /** Patterns that stand in public files anyway, so that finding them says nothing. */
  readonly left_out: readonly string[];
  readonly found: readonly string[];
  readonly stored_object_entropy: number;
}

const DUMP_BYTES = 48;
const ENTROPY_BYTES = 64 * 1024;
const RESULT_SAMPLE = 24;

/** Searches everything the machines in between held. */
export async function showAttacker(scene: Scene, outcome: JobOutcome): Promise<AttackerView> {
  const { story, stage, video } = scene;
  const { secrets, known } = withoutPublic(scene, await secretsOf(scene, outcome));
  return story.step("An attacker searches all that the machines held", async () => {
    const files = searchFiles([stage.store.directory, stage.platform.dataDirectory], secrets);
    const pid = stage.platform.control?.pid;
    const memory = pid === undefined ? undefined : searchMemory(pid, secrets);
    const found = [
      ...files.found,
      ...(memory?.found ?? []).map((what) => `${what} in the control plane's memory`),
    ];
    if (found.length > 0) {
      throw new CliError(
        "CLI_CHEAT_SUCCEEDED",
        `plain data was found outside the keep: ${found[0]}`,
        {
          hint: "this is a fault of Holdfast: please report it",
        },
      );
    }
    const inKeep = await searchKeepMemory(stage.platform.dataDirectory, secrets);
    const object = storedObject(stage.store.directory);
    const bits = entropy(readStart(object, ENTROPY_BYTES));
    const value: AttackerView = {
      searched_files: files.files,
      searched_bytes: files.bytes,
      searched_memory_bytes: memory?.bytes ?? null,
      found_in_simulated_keep: inKeep ?? null,
      patterns: secrets.length,
      left_out: known,
      found,
      stored_object_entropy: Number(bits.toFixed(4)),
    };
    return {
      value,
      checked: [
        `${files.files} files (${formatBytes(files.bytes)}) of store, bridge and control plane${memoryWords(memory?.bytes)}`,
        `searched for the key, ${video.samples.length} pieces of the plain video, pictures and detections: nothing found`,
        ...known.map(
          (what) =>
            `${what} was left out: it stands in public files as well, as no random bytes do`,
        ),
        ...keepWords(inKeep),
        `the stored object, ${bits.toFixed(3)} bits of entropy a byte:`,
        ...hexdump(readStart(object, DUMP_BYTES)).map((line) => `  ${line}`),
      ].join("\n"),
    };
  });
}

async function secretsOf({ video }: Scene, { outputs }: JobOutcome): Promise<Pattern[]> {
  const results: Pattern[] = [];
  for (const { name, path } of outputs) {
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    const sample = bytes.subarray(middle, middle + RESULT_SAMPLE);
    if (sample.length === RESULT_SAMPLE && new Set(sample).size > 8) {
      results.push({ what: name, bytes: Uint8Array.from(sample) });
    }
  }
  return [
    ...keyForms("the video's key", video.key),
    ...video.samples.map((bytes, index) => ({ what: `plain video ${index}`, bytes })),
    ...results,
  ];
}

/** The counter-check: where nothing but software stands behind the platform, the same search finds what is in the keep. */
async function searchKeepMemory(
  directory: string,
  secrets: readonly Pattern[],
): Promise<readonly string[] | undefined> {
  const [pid] = await keepsUnder(directory);
  return pid === undefined ? undefined : searchMemory(pid, secrets)?.found;
}

function keepWords(found: readonly string[] | undefined): string[] {
  if (found === undefined) return [];
  const what = found.length === 0 ? "nothing" : found.slice(0, 3).join(", ");
  return [
    `the same search in the keep's own memory finds ${what}: hiding that is the hardware's work, and this platform is SIMULATED`,
  ];
}

/** A key like 00 01 02 … stands in many a program; whoever chose it has not kept it secret. */
function withoutPublic(
  { model, bundle }: Scene,
  all: readonly Pattern[],
): { secrets: readonly Pattern[]; known: readonly string[] } {
  const files = [BUILT.detector, bundle.path, model.names, model.config, model.weights];
  const known = new Set(files.flatMap((path) => [...searchOne(path, all)]));
  return { secrets: all.filter(({ what }) => !known.has(what)), known: [...known] };
}

function storedObject(directory: string): string {
  const [name] = globSync("**/*_object", { cwd: directory });
  if (name === undefined) throw new CliError("CLI_PROCESS", "the object store holds no object");
  return join(directory, name);
}

function memoryWords(bytes: number | undefined): string {
  return bytes === undefined
    ? "; the control plane's memory could not be read here"
    : `, and ${formatBytes(bytes)} of the control plane's memory`;
}
