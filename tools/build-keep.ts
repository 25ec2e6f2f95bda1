// Builds the keep's bundle: one file, the same bytes wherever and whenever it is built from the same source, for its
// hash is what policies name. Beside it goes the loader, which is not measured, as one file too: it starts in half the
// time and takes half the memory; and the relay that holds the Nitro module's device for it. Usage: node
// tools/build-keep.ts [--out FILE]; prints {bundle, sha384, measurement, loader}.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type BuildOptions, build } from "esbuild";

/** The repository. */
const ROOT = resolve(import.meta.dirname, "..");
const KEEP_ENTRY = "apps/keep/src/main.ts";
const LOADER_ENTRY = "apps/keep/src/loader/main.ts";
/** Started by the loader as a process of its own; found beside it by this name. */
const RELAY_ENTRY = "packages/attester/src/nsm/relay-main.ts";
const RELAY = "nsm-relay.mjs";
/** Threads of the keep, which has their text in it. */
const WORKERS = {
  KEEP_WORKER_SOURCE: "packages/wasi/src/worker/entry.ts",
  KEEP_ADMISSION_SOURCE: "packages/wasi/src/worker/admission-entry.ts",
} as const;
/** Where `npm run build` puts the bundle. */
export const BUNDLE: string = join(ROOT, "apps/keep/dist/keep.mjs");

/** The bundle's bytes. */
export async function buildKeepBundle(): Promise<Uint8Array> {
  const define: Record<string, string> = {};
  for (const [name, entry] of Object.entries(WORKERS)) {
    const worker = await bundled({ entryPoints: [entry] });
    define[name] = JSON.stringify(new TextDecoder().decode(worker));
  }
  return bundled({ entryPoints: [KEEP_ENTRY], define });
}

/** The loader's bytes. */
export function buildLoaderBundle(): Promise<Uint8Array> {
  return bundled({ entryPoints: [LOADER_ENTRY] });
}

/** The relay's bytes. */
export function buildRelayBundle(): Promise<Uint8Array> {
  return bundled({ entryPoints: [RELAY_ENTRY] });
}

/** SHA-384 of a bundle, and the measurement that policies name: its first 32 bytes. */
export function measureBytes(bytes: Uint8Array): { sha384: string; measurement: string } {
  const sha384 = createHash("sha384").update(bytes).digest("hex");
  return { sha384, measurement: sha384.slice(0, 64) };
}

async function bundled(options: BuildOptions): Promise<Uint8Array> {
  const { outputFiles, metafile } = await build({
    ...options,
    // Names in the output are relative to here: no path of this machine gets in.
    absWorkingDir: ROOT,
    bundle: true,
    // Node reads the keep from standard input as a module, and so it reads the text of its workers.
    format: "esm",
    platform: "node",
    target: "node26",
    charset: "utf8",
    legalComments: "none",
    sourcemap: false,
    treeShaking: true,
    metafile: true,
    write: false,
    outfile: "keep.mjs",
    logLevel: "error",
  });
  refuseForeign(Object.keys(metafile?.inputs ?? {}));
  const [file] = outputFiles ?? [];
  if (file === undefined) throw new Error("the bundler gave no output");
  return file.contents;
}

/** Only this repository's own source may be inside the keep. */
function refuseForeign(inputs: readonly string[]): void {
  const foreign = inputs.filter((input) => !/^(?:apps\/keep|packages\/[a-z]+)\/src\//.test(input));
  if (foreign.length > 0) throw new Error(`not ours, but in the bundle: ${foreign.join(", ")}`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string", default: BUNDLE } } });
  const bytes = await buildKeepBundle();
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, bytes);
  const loader = join(dirname(values.out), "loader.mjs");
  writeFileSync(loader, await buildLoaderBundle());
  writeFileSync(join(dirname(values.out), RELAY), await buildRelayBundle());
  const named = (file: string): string => relative(process.cwd(), file);
  console.log(
    JSON.stringify(
      { bundle: named(values.out), ...measureBytes(bytes), loader: named(loader) },
      undefined,
      2,
    ),
  );
}
