// Where outside samples lie, when they are there: a folder beside the repository. Tests that need one skip with a reason.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dirname, "../../..");

/** The folder of outside samples, or undefined; `why` is the reason to skip a test with. */
export function sampleFolder(name: string): { folder: string | undefined; why: string | false } {
  const folder = resolve(REPOSITORY, "../shared/vectors", name);
  return existsSync(folder)
    ? { folder, why: false }
    : { folder: undefined, why: `no samples at ../shared/vectors/${name}` };
}

/** A JSON file of a folder of samples. */
export function readSampleJson<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, file), "utf8"));
}

/** A file of a folder of samples, as bytes. */
export function readSample(folder: string, file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, file)));
}
