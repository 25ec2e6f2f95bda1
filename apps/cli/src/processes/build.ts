// Builds what is missing or older than its sources: the keep's bundle, the control plane and the video detector.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { BUILT, ROOT } from "./checkout.ts";

/** A keep's bundle and what it measures to. */
export interface KeepBundle {
  readonly path: string;
  /** PCR0: SHA-384 of the bytes. */
  readonly sha384: string;
  /** The first 32 bytes of PCR0, as policies name it. */
  readonly measurement: string;
}

interface Build {
  readonly what: string;
  readonly script: string;
  readonly products: readonly string[];
  readonly sources: readonly string[];
}

const KEEP: Build = {
  what: "the keep's bundle",
  script: "tools/build-keep.ts",
  products: [BUILT.keepBundle, BUILT.loader],
  sources: ["tools/build-keep.ts", "apps/keep/src/**/*.ts", "packages/*/src/**/*.ts"],
};
const CONTROL: Build = {
  what: "the control plane",
  script: "tools/build-control.ts",
  products: [BUILT.control],
  // Packages are inside, too.
  sources: [
    "tools/build-control.ts",
    "apps/control/src/**/*.ts",
    "packages/*/src/**/*.ts",
    "package-lock.json",
  ],
};
const DETECTOR: Build = {
  what: "the video detector (a C compiler runs inside WebAssembly, once)",
  script: "examples/vod/build.ts",
  products: [BUILT.detector, resolve(BUILT.model, "yolov3.weights")],
  sources: [
    "examples/vod/build.ts",
    "examples/vod/build/**",
    "examples/vod/src/**",
    "examples/vod/model/**",
  ],
};

/** The keep's bundle, built when it is missing or stale. */
export async function buildKeep(context: Context): Promise<KeepBundle & { built: boolean }> {
  const built = await buildWhenStale(context, KEEP);
  return { ...(await measureBundle(BUILT.keepBundle)), built };
}

/** The file to start the control plane from, built when it is missing or stale. */
export async function buildControl(context: Context): Promise<string> {
  await buildWhenStale(context, CONTROL);
  return BUILT.control;
}

/** The detector and the face model, built when they are missing or stale. */
export async function buildDetector(context: Context): Promise<{ built: boolean }> {
  return { built: await buildWhenStale(context, DETECTOR) };
}

/**
 * Measures a bundle as the platform does.
 * @throws CliError CLI_FILE when there is none
 */
export async function measureBundle(path: string): Promise<KeepBundle> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CliError("CLI_FILE", `there is no bundle at ${path}`, {
      cause,
      hint: "build it: holdfast keep build",
    });
  });
  const sha384 = createHash("sha384").update(bytes).digest("hex");
  return { path, sha384, measurement: sha384.slice(0, 64) };
}

async function buildWhenStale(context: Context, build: Build): Promise<boolean> {
  if (!isStale(build)) return false;
  await runScript(context, build);
  return true;
}

function isStale({ products, sources, script }: Build): boolean {
  const made = products.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs);
  const oldest = Math.min(...made.map((time) => time ?? 0));
  return globSync([script, ...sources], { cwd: ROOT })
    .filter((path) => !path.endsWith(".test.ts"))
    .some((path) => statSync(resolve(ROOT, path)).mtimeMs > oldest);
}

async function runScript(context: Context, { what, script }: Build): Promise<void> {
  const progress = context.terminal.progress(`building ${what}`);
  const child = spawn(process.execPath, [resolve(ROOT, script)], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stop = (): boolean => child.kill("SIGTERM");
  context.interrupted.addEventListener("abort", stop, { once: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-4000);
    });
  }
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.once("error", fail).once("close", done);
    });
    if (code === 0) return;
    throw new CliError("CLI_PROCESS", `building ${what} failed with exit code ${code}`, {
      cause: new Error(output.trimEnd().split("\n").slice(-4).join(" | ")),
      hint: `run it alone: node ${script}`,
    });
  } finally {
    progress.end();
    context.interrupted.removeEventListener("abort", stop);
  }
}
