// What the detector is made of: our own C files, and the H.264 decoder h264bsd out of an npm package.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import type { Tree } from "@yowasp/clang";

const OPTIMISED = ["-O3", "-msimd128", "-std=gnu17"];
const OWN_FLAGS = [
  ...OPTIMISED,
  "-Wall",
  "-Wextra",
  "-Wconversion",
  "-Wno-sign-conversion",
  "-Werror",
];

/** The decoder is taken as it is; it stores pointers in integers once, which today's C refuses. */
const DECODER_FLAGS = ["-O3", "-msimd128", "-std=gnu17", "-w", "-Wno-int-conversion"];

/** Files of the package's source folder that are test programs or other front ends. */
const NOT_NEEDED =
  /^(Broadway|DecTestBench|Decoder|EvaluationTestBench|TestBench.*|H264SwDecApi|extraFlags|h264bsd_sei)\.c$/;

/** One C file to compile. `headers` are all files its includes may reach. */
export interface Unit {
  readonly name: string;
  readonly flags: readonly string[];
}

/** Every file by its name in the compiler's file system, and the ones to compile, in a fixed order. */
export interface Sources {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly units: readonly Unit[];
}

/** Reads the sources below `examples/vod` and the decoder's package. */
export function readSources(home: string): Sources {
  const files = new Map<string, Uint8Array>();
  const own = readTree(join(home, "src"), "src", files);
  const package_ = dirname(
    createRequire(join(home, "package.json")).resolve("broadway-player/package.json"),
  );
  const decoder = readTree(join(package_, "Decoder", "src"), "h264bsd/src", files);
  readTree(join(package_, "Decoder", "inc"), "h264bsd/inc", files);
  const include = ["-Ih264bsd/inc", "-Ih264bsd/src"];
  const units = [
    ...own.map((name) => ({
      name,
      flags: [...OWN_FLAGS, "-Isrc", "-isystemh264bsd/inc", "-isystemh264bsd/src"],
    })),
    ...decoder
      .filter((name) => !NOT_NEEDED.test(name.slice(name.lastIndexOf("/") + 1)))
      .map((name) => ({ name, flags: [...DECODER_FLAGS, ...include] })),
  ];
  return { files, units: units.filter((unit) => unit.name.endsWith(".c")) };
}

/** The files as the compiler's wrapper wants them: folders within folders. */
export function asTree(files: ReadonlyMap<string, Uint8Array>): Tree {
  const root: Tree = {};
  for (const [name, bytes] of files) {
    const parts = name.split("/");
    let folder = root;
    for (const part of parts.slice(0, -1)) {
      folder[part] ??= {};
      folder = folder[part] as Tree;
    }
    folder[parts[parts.length - 1] as string] = bytes;
  }
  return root;
}

function readTree(folder: string, as: string, files: Map<string, Uint8Array>): string[] {
  const names: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.[ch]$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const name = `${as}/${relative(folder, path).split(sep).join("/")}`;
    files.set(name, readFileSync(path));
    names.push(name);
  }
  return names.sort();
}
