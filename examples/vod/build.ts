// `npm run build:vod`: the detector's module and the face model, into dist/. `--check` builds the module twice from
// nothing and compares; `--json` prints the outcome for machines.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildDetector, buildDetectorFresh } from "./build-detector.ts";
import { ToolchainError } from "./build-toolchain.ts";
import { convertFaceModel } from "./model/convert-face-model.ts";

const home = import.meta.dirname;
const model = join(home, "dist", "model");

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { check: { type: "boolean" }, fresh: { type: "boolean" }, json: { type: "boolean" } },
  });
  const begun = performance.now();
  const say = (text: string): void => {
    process.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
  };
  const built = await buildDetector({
    home,
    say,
    fresh: values.fresh === true || values.check === true,
  });
  if (values.check === true) await expectSameAgain(built.path, say);
  convertFaceModel(model);
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(2));
  if (values.json === true) {
    console.log(JSON.stringify({ ...built, model, seconds }));
  } else {
    console.log(
      `${built.path}: ${built.bytes} bytes, ${built.made ? `built in ${seconds} s` : "up to date"}`,
    );
    console.log(`sha256 ${built.sha256}`);
    console.log(`face model: ${model}`);
  }
}

async function expectSameAgain(path: string, say: (text: string) => void): Promise<void> {
  const again = createHash("sha256")
    .update(await buildDetectorFresh({ home, say }))
    .digest("hex");
  const first = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (again !== first) throw new Error(`two builds differ: ${first} and ${again}`);
  say("a second build from nothing gave the same bytes");
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ToolchainError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
