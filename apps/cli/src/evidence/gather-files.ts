// Endorsements as they lie around: files and folders in any order, read with bounds on count, depth and size. What can't be
// used is told, not silently passed over.
import { opendir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, webCrypto } from "@holdfast/core";
import {
  type EndorsementFile,
  type Endorsements,
  MAXIMUM_ENDORSEMENT,
  MAXIMUM_ENDORSEMENTS,
  mergeEndorsements,
  readEndorsements,
  unpackBundles,
} from "@holdfast/evidence";
import { CliError } from "../errors.ts";
import { readSmallFile } from "../files.ts";

const MAXIMUM_DEPTH = 8;
const MAXIMUM_TOTAL = 64 * 1024 * 1024;

/**
 * Reads endorsements of files and folders.
 * @param evidence the evidence's own file: never its own endorsement, and what lies beside it comes first
 * @param cache a folder of vendors' documents; nothing in it enrolls a key or belongs to the evidence
 */
export async function gatherEndorsements(
  paths: readonly string[],
  evidence: string,
  cache?: string,
): Promise<Endorsements> {
  const given = await gather(paths, evidence);
  if (cache === undefined) return given;
  const kept = await gather([cache], evidence);
  return mergeEndorsements(given, { ...kept, keys: [], parts: [] });
}

async function gather(paths: readonly string[], evidence: string): Promise<Endorsements> {
  const own = await realpath(evidence).catch(() => evidence);
  const found = await Promise.all(paths.map((path) => filesUnder(path)));
  const names = [...new Set(found.flat())].filter((name) => name !== own);
  const beside = (name: string): number => (dirname(name) === dirname(own) ? 0 : 1);
  const named = new Set(await Promise.all(paths.map((path) => realpath(path))));
  const files: EndorsementFile[] = [];
  const ignored: { name: string; reason: string }[] = [];
  let total = 0;
  for (const name of names.toSorted((left, right) => beside(left) - beside(right))) {
    try {
      const bytes = await readSmallFile(name, "endorsement", MAXIMUM_ENDORSEMENT);
      total += bytes.length;
      if (total > MAXIMUM_TOTAL) throw tooMuch(`over ${MAXIMUM_TOTAL} bytes in all`);
      files.push({ name, bytes });
    } catch (thrown) {
      if (total > MAXIMUM_TOTAL || named.has(name)) throw thrown;
      ignored.push({ name, reason: messageOf(thrown) });
    }
  }
  const { files: unpacked, damaged } = await unpackBundles(files, webCrypto);
  for (const { name, reason } of damaged) {
    if (named.has(name)) throw new CliError("CLI_INPUT", `bundle ${name}: ${reason}`);
  }
  const endorsements = readEndorsements(unpacked);
  // A folder may hold the logs and signatures of other machines: what belongs to this evidence lies beside it, or is named.
  const parts = endorsements.parts.filter(({ name }) => named.has(name) || beside(name) === 0);
  return { ...endorsements, parts, ignored: [...endorsements.ignored, ...damaged, ...ignored] };
}

/** A file, or every file under a folder. */
async function filesUnder(path: string): Promise<string[]> {
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined) {
    throw new CliError("CLI_FILE", `there are no endorsements at ${path}`, {
      hint: "name files or folders with certificates, revocation lists or collateral",
    });
  }
  const start = await realpath(path);
  return kind.isDirectory() ? await walk(start, 0) : [start];
}

async function walk(folder: string, depth: number): Promise<string[]> {
  if (depth > MAXIMUM_DEPTH) throw tooMuch(`${folder} lies over ${MAXIMUM_DEPTH} folders deep`);
  const names: string[] = [];
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) names.push(...(await walk(path, depth + 1)));
    // Links are not followed: a folder's endorsements are what lies in it.
    else if (entry.isFile()) names.push(path);
    if (names.length > MAXIMUM_ENDORSEMENTS) throw tooMuch(`over ${MAXIMUM_ENDORSEMENTS} files`);
  }
  return names.toSorted();
}

function tooMuch(what: string): CliError {
  return new CliError("CLI_INPUT", `too many endorsements: ${what}`, {
    hint: "name the files that are needed",
  });
}
