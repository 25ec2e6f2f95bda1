// The detector's model: the face model built here, or the user's own darknet files from a directory.
import { globSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CliError } from "../errors.ts";
import { BUILT } from "../processes/checkout.ts";

/** Files of a model, by what the program calls them. */
export interface ModelFiles {
  readonly names: string;
  readonly config: string;
  readonly weights: string;
  readonly about: string;
}

/** The model that the build makes. */
export const FACE_MODEL: ModelFiles = {
  names: join(BUILT.model, "coco.names"),
  config: join(BUILT.model, "yolov3.cfg"),
  weights: join(BUILT.model, "yolov3.weights"),
  about: "a small face detector",
};

const FOLDERS = [".", "cfg", "weights"];

/**
 * Finds one model in a directory: the seed's file names, or the one `.cfg`, `.weights` and `.names` in it or in its
 * `cfg` and `weights` folders.
 * @param name chooses `NAME.cfg` and `NAME.weights` when several fit
 * @throws CliError CLI_INPUT when files are missing or several fit
 */
export function findModel(directory: string, name: string | undefined): ModelFiles {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError("CLI_FILE", `there is no model directory ${directory}`, {
      hint: "give a folder with a .cfg, a .weights and a .names file",
    });
  }
  const pairs = modelPairs(directory);
  const fitting =
    name === undefined ? preferred(pairs) : pairs.filter((pair) => pair.name === name);
  const [pair, ...more] = fitting;
  if (pair === undefined || more.length > 0) throw undecided(directory, pairs, name);
  return {
    config: pair.config,
    weights: pair.weights,
    names: onlyNames(directory),
    about: `${pair.name}, from ${directory}`,
  };
}

interface ModelPair {
  readonly name: string;
  readonly config: string;
  readonly weights: string;
}

/** A model is a `.weights` with the `.cfg` of the same name; or the only one of each. */
function modelPairs(directory: string): ModelPair[] {
  const configs = filesOf(directory, "cfg");
  const weights = filesOf(directory, "weights");
  const pairs = weights.flatMap((path) => {
    const name = basename(path, ".weights");
    const config = configs.find((each) => basename(each, ".cfg") === name);
    return config === undefined ? [] : [{ name, config, weights: path }];
  });
  const [config, ...otherConfigs] = configs;
  const [only, ...otherWeights] = weights;
  if (pairs.length > 0 || config === undefined || only === undefined) return pairs;
  return otherConfigs.length + otherWeights.length > 0
    ? []
    : [{ name: basename(only, ".weights"), config, weights: only }];
}

function preferred(pairs: readonly ModelPair[]): readonly ModelPair[] {
  const seed = pairs.filter(({ name }) => name === "yolov3");
  return seed.length === 1 ? seed : pairs;
}

function onlyNames(directory: string): string {
  const names = filesOf(directory, "names");
  const chosen =
    names.length === 1 ? names[0] : names.find((path) => basename(path) === "coco.names");
  if (chosen !== undefined) return chosen;
  throw new CliError(
    "CLI_INPUT",
    names.length === 0
      ? `${directory} has no .names file`
      : `${directory} has several .names files: ${names.map((each) => basename(each)).join(", ")}`,
    { hint: "one file with a label a line is expected, coco.names for example" },
  );
}

function undecided(
  directory: string,
  pairs: readonly ModelPair[],
  name: string | undefined,
): CliError {
  const known = pairs.map((pair) => pair.name).join(", ");
  if (name !== undefined) {
    return new CliError("CLI_INPUT", `${directory} has no model ${name}`, {
      hint: known === "" ? "NAME.cfg and NAME.weights are expected there" : `it has: ${known}`,
    });
  }
  return pairs.length === 0
    ? new CliError("CLI_INPUT", `${directory} has no .cfg and .weights of the same name`, {
        hint: "both are looked for in the folder, and in its cfg and weights folders",
      })
    : new CliError("CLI_INPUT", `several models in ${directory} fit: ${known}`, {
        hint: "choose one with --model-name NAME",
      });
}

function filesOf(directory: string, ending: string): string[] {
  return FOLDERS.flatMap((folder) =>
    globSync(`*.${ending}`, { cwd: resolve(directory, folder) })
      .sort()
      .map((name) => join(directory, folder, name)),
  );
}
