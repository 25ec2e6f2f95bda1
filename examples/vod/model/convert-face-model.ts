// Makes the default model of the detector: the tiny face detector of @vladmandic/face-api (MIT) as darknet files.
// The same package gives the same bytes, so that their hashes can stand in a policy.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { writeWeights } from "./darknet-files.ts";
import { faceNetwork } from "./face-network.ts";
import { readTensors, weightsFileOf } from "./tfjs-weights.ts";

const PACKAGE = "@vladmandic/face-api";
const MANIFEST = "tiny_face_detector_model-weights_manifest.json";

/**
 * Writes coco.names, yolov3.cfg and yolov3.weights into a directory, which is made when absent. The names are those
 * that the detector program reads, whatever the model.
 * @throws ModelError when the package's model is not the expected one
 */
export function convertFaceModel(outputDirectory: string): void {
  const packageFile = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  const source = join(dirname(packageFile), "model");
  const manifest = readFileSync(join(source, MANIFEST), "utf8");
  const tensors = readTensors(manifest, readFileSync(join(source, weightsFileOf(manifest))));
  const network = faceNetwork(tensors, [
    `Tiny face detector of ${PACKAGE} ${version} (MIT licence), converted.`,
    "One class, five anchors; the mean colour is folded into the first biases.",
  ]);
  mkdirSync(outputDirectory, { recursive: true });
  writeFileSync(join(outputDirectory, "coco.names"), "face\n");
  writeFileSync(join(outputDirectory, "yolov3.cfg"), network.configuration);
  writeFileSync(join(outputDirectory, "yolov3.weights"), writeWeights(network.convolutions));
}
