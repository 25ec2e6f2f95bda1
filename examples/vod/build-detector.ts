// Builds the detector's WebAssembly module from C, reproducibly, and skips what has not changed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { asTree, readSources, type Sources, type Unit } from "./build-sources.ts";
import { compile, link, loadToolchain } from "./build-toolchain.ts";

const STACK_BYTES = 1024 * 1024;

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
  writeFileSync(`${path}.new`, module);
  renameSync(`${path}.new`, path);
  writeFileSync(stamp, `${inputs} ${sha256}\n`);
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
  const tree = asTree(sources.files);
  const kept = join(options.home, "dist", "objects");
  const objects: Uint8Array[] = [];
  mkdirSync(kept, { recursive: true });
  await loadToolchain();
  for (const [index, unit] of sources.units.entries()) {
    const place = join(kept, `${hashUnit(sources, unit, options.home)}.o`);
    if (options.fresh !== true && existsSync(place)) {
      objects.push(readFileSync(place));
      continue;
    }
    options.say(`compiling ${index + 1}/${sources.units.length} ${unit.name}`);
    const object = await compile(tree, unit.name, unit.flags, options.say);
    if (options.fresh !== true) writeFileSync(place, object);
    objects.push(object);
  }
  options.say("linking");
  return link(objects, STACK_BYTES, options.say);
}

/** An object depends on its own text, every header of its side of the tree, its flags and the compiler. */
function hashUnit(sources: Sources, unit: Unit, home: string): string {
  const hash = createHash("sha256").update(`${toolchainVersion(home)}\n${unit.flags.join(" ")}\n`);
  for (const [name, bytes] of sources.files) {
    if (name === unit.name || name.endsWith(".h")) hash.update(`${name} ${digest(bytes)}\n`);
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
