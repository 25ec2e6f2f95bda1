// Builds the verifier for browsers: one module, packages/evidence and packages/core and nothing else inside.
// Usage: node tools/build-verifier.ts [--out FILE]; prints {bundle, bytes, sha256}.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const ROOT = resolve(import.meta.dirname, "..");
const ENTRY = "packages/evidence/src/browser/verifier.ts";
const OUT = join(ROOT, "packages/evidence/dist/verifier.mjs");

/**
 * The module's bytes.
 * @throws when anything but the project's own pure packages would get in
 */
export async function buildVerifier(): Promise<Uint8Array> {
  const { outputFiles, metafile } = await build({
    entryPoints: [ENTRY],
    absWorkingDir: ROOT,
    bundle: true,
    format: "esm",
    // Anything of Node's is a fault here, found when it is built.
    platform: "browser",
    target: "es2024",
    charset: "utf8",
    legalComments: "none",
    minify: true,
    metafile: true,
    write: false,
    outfile: "verifier.mjs",
    logLevel: "error",
  });
  const foreign = Object.keys(metafile.inputs).filter(
    (input) => !/^packages\/(?:core|evidence)\/src\//.test(input),
  );
  if (foreign.length > 0) throw new Error(`not ours, but in the verifier: ${foreign.join(", ")}`);
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
  if (outside.length > 0) throw new Error("the verifier imports something from outside");
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${ENTRY} gave no output`);
  return file.contents;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string", default: OUT } } });
  const bytes = await buildVerifier();
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  console.log(JSON.stringify({ bundle: values.out, bytes: bytes.length, sha256 }));
}
