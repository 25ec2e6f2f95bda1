// Steps 1 and 2: the administrator registers the function with its program and model.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { FunctionBody } from "@holdfast/contract";
import { BUILT, ROOT } from "../processes/checkout.ts";
import {
  type FunctionFiles,
  fillHashes,
  uploaderOf,
  uploadFiles,
} from "../services/register-function.ts";
import { formatBytes } from "../terminal/progress.ts";
import { VOD } from "../user-app/vod-policy.ts";
import { NAMES, type Scene } from "./job.ts";

/** Paths of the model in the keep. */
const DATA = {
  names: "/program_data/coco.names",
  config: "/program_data/yolov3.cfg",
  weights: "/program_data/yolov3.weights",
} as const;

/** Files of the function by their path in the keep. */
export function functionFiles({ model }: Pick<Scene, "model">): FunctionFiles {
  return {
    programs: [{ name: VOD.program, path: BUILT.detector }],
    data: [
      { name: DATA.names, path: model.names },
      { name: DATA.config, path: model.config },
      { name: DATA.weights, path: model.weights },
    ],
  };
}

/** The function's definition with the hashes of the files. */
export async function functionDefinition(scene: Pick<Scene, "model">): Promise<FunctionBody> {
  const text = await readFile(resolve(ROOT, "examples/vod/function.json"), "utf8");
  const draft = { ...(JSON.parse(text) as object), function: NAMES.function };
  return fillHashes(draft, functionFiles(scene));
}

/**
 * Registers and uploads.
 * @returns the pinned hashes by path
 */
export async function registerFunction(scene: Scene): Promise<ReadonlyMap<string, string>> {
  const { story, stage, context } = scene;
  const ccfaas = stage.access.ccfaas();
  const definition = await functionDefinition(scene);
  const hashes = new Map([
    ...definition.programs.map((each) => [each.program_file_name, each.pi_hash] as const),
    ...(definition.data_files ?? []).map((each) => [each.data_file, each.pi_hash] as const),
  ]);
  await story.step("Administrator registers the function", async () => {
    await ccfaas.registerFunction(definition);
    return {
      checked: `${NAMES.function}: ${hashes.size} files pinned by SHA-256, rights for program and loader`,
      value: undefined,
    };
  });
  await story.step("Administrator uploads program and model", async () => {
    let bytes = 0;
    await uploadFiles(context, definition, functionFiles(scene), {
      upload: uploaderOf(ccfaas, definition.function),
      onStored: (_kind, _file, size) => {
        bytes += size;
      },
    });
    const { state } = await ccfaas.describeFunction(NAMES.function);
    return {
      checked: `${formatBytes(bytes)}, every hash checked by CCFaaS; function is ${state}; model: ${scene.model.about}`,
      value: undefined,
    };
  });
  return hashes;
}
