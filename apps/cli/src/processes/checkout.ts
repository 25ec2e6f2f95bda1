// Where the parts that the command starts as processes are.
import { resolve } from "node:path";

/** Root of the repository. */
export const ROOT: string = resolve(import.meta.dirname, "../../../..");

/** What was compiled once: beside the packages, and as private as the code itself. */
export const COMPILE_CACHE: string = resolve(ROOT, "node_modules/.cache/holdfast");

/** Entry points of the services. */
export const ENTRY = {
  trust: resolve(ROOT, "apps/trust/src/main.ts"),
  cli: resolve(ROOT, "apps/cli/src/main.ts"),
  guard: resolve(ROOT, "apps/cli/src/processes/guard-main.ts"),
} as const;

/** What the builds make. */
export const BUILT = {
  control: resolve(ROOT, "apps/control/dist/main.mjs"),
  keepBundle: resolve(ROOT, "apps/keep/dist/keep.mjs"),
  loader: resolve(ROOT, "apps/keep/dist/loader.mjs"),
  detector: resolve(ROOT, "examples/vod/dist/detector.wasm"),
  model: resolve(ROOT, "examples/vod/dist/model"),
} as const;
