// Builds the detector's WebAssembly module from C, reproducibly, and skips what has not changed.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { asTree, readSources, type Sources, type Unit } from "./build-sources.ts";
import { compile, link, loadToolchain } from "./build-toolchain.ts";

const STACK_BYTES = 1024 * 1024;
const UNITS_AT_ONCE = 12;

/** What a build gives. `made` is false when an up-to-date module was there already. */
export interface DetectorBuild {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly made: boolean;
}

/** How to build. Objects are kept and reused unless `fresh`; `say` gets progress and warnings. */
export interface DetectorBuildOptions {
  readonly home: string;
  readonly fresh?: boolean;
  readonly say: (text: string) => void;
}

/** Builds `dist/detector.wasm` below `home` (examples/vod) unless its inputs are those of the last build. */
export async function buildDetector(options: DetectorBuildOptions): Promise<DetectorBuild> {
  const dist = join(options.home, "dist");
  const path = join(dist, "detector.wasm");
  const stamp = join(dist, "detector.stamp");
  const sources = readSources(options.home);
  const inputs = hashInputs(sources, options.home);
  if (options.fresh !== true && existsSync(path) && existsSync(stamp)) {
    const bytes = readFileSync(path);
    const sha256 = digest(bytes);
    if (readFileSync(stamp, "utf8") === `${inputs} ${sha256}\n`) {
      return { path, sha256, bytes: bytes.length, made: false };
    }
  }
  const module = await compileAndLink(sources, options);
  const sha256 = digest(module);
  mkdirSync(dist, { recursive: true });
  writeWhole(path, module);
  writeWhole(stamp, `${inputs} ${sha256}\n`);
  return { path, sha256, bytes: module.length, made: true };
}

/** Builds from nothing and keeps nothing: for the check that two builds give the same bytes. */
export function buildDetectorFresh(options: DetectorBuildOptions): Promise<Uint8Array> {
  return compileAndLink(readSources(options.home), { ...options, fresh: true });
}

async function compileAndLink(
  sources: Sources,
  options: DetectorBuildOptions,
): Promise<Uint8Array> {
  const kept = join(options.home, "dist", "objects");
  const places = sources.units.map((unit) =>
    join(kept, `${hashUnit(sources, unit, options.home)}.o`),
  );
  const objects = places.map((place) =>
    options.fresh !== true && existsSync(place) ? readFileSync(place) : undefined,
  );
  await loadToolchain();
  await compileMissing(sources, objects, options.say);
  options.say("linking");
  const found = objects.filter((object) => object !== undefined);
  const module = await link(found, STACK_BYTES, options.say);
  if (options.fresh !== true) keepObjects(kept, places, found);
  return module;
}

/** Fills in the objects that are not there yet, some at a time so that there is progress to show. */
async function compileMissing(
  sources: Sources,
  objects: (Uint8Array | undefined)[],
  say: (text: string) => void,
): Promise<void> {
  const tree = asTree(sources.files);
  const missing = [...sources.units.entries()].filter(([index]) => objects[index] === undefined);
  let done = 0;
  while (done < missing.length) {
    const flags = missing[done]?.[1].flags ?? [];
    const same = missing.slice(done, done + UNITS_AT_ONCE);
    const batch = same.filter(([, unit]) => unit.flags.join(" ") === flags.join(" "));
    const names = batch.map(([, unit]) => unit.name);
    say(`compiling ${done + 1} to ${done + batch.length} of ${missing.length} C files`);
    const made = await compile(tree, names, flags, say);
    batch.forEach(([index], at) => {
      objects[index] = made[at];
    });
    done += batch.length;
  }
}

/** Keeps the objects of this build for the next one, and no others. */
function keepObjects(folder: string, places: readonly string[], objects: Uint8Array[]): void {
  mkdirSync(folder, { recursive: true });
  const wanted = new Set(places);
  for (const name of readdirSync(folder)) {
    const isOld = name.endsWith(".o") && !wanted.has(join(folder, name));
    if (isOld) rmSync(join(folder, name), { force: true });
  }
  places.forEach((place, index) => {
    if (!existsSync(place)) writeWhole(place, objects[index] as Uint8Array);
  });
}

/** Nobody ever sees half a file: test files build at the same time on a clean clone. */
function writeWhole(path: string, content: Uint8Array | string): void {
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, content);
  renameSync(beside, path);
}

/** An object depends on its text, its flags, the compiler and every header it may include; the decoder's none of ours. */
function hashUnit(sources: Sources, unit: Unit, home: string): string {
  const hash = createHash("sha256").update(`${toolchainVersion(home)}\n${unit.flags.join(" ")}\n`);
  for (const [name, bytes] of sources.files) {
    const isHeader =
      name.endsWith(".h") && (unit.name.startsWith("src/") || !name.startsWith("src/"));
    if (name === unit.name || isHeader) hash.update(`${name} ${digest(bytes)}\n`);
  }
  return hash.digest("hex");
}

function hashInputs(sources: Sources, home: string): string {
  const hash = createHash("sha256").update(`stack ${STACK_BYTES}\n`);
  for (const unit of sources.units) hash.update(`${unit.name} ${hashUnit(sources, unit, home)}\n`);
  return hash.update(digest(readFileSync(join(home, "build-toolchain.ts")))).digest("hex");
}

function toolchainVersion(home: string): string {
  const entry = createRequire(join(home, "package.json")).resolve.paths("@yowasp/clang") ?? [];
  for (const folder of entry) {
    const file = join(folder, "@yowasp", "clang", "package.json");
    if (existsSync(file))
      return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }
  throw new Error(`@yowasp/clang is not installed next to ${dirname(home)}; run npm ci`);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
