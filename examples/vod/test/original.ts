// The original face detector, run as its package ships it, on the pure JavaScript backend inside the package's own
// bundle: what the converted network is compared with.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
}

/** The part of the package that is used; the bundle has no types of its own. */
interface FaceApi {
  readonly tf: {
    env(): { setPlatform(name: string, platform: object): void };
    setBackend(name: string): Promise<boolean>;
    tensor4d(values: Float32Array, shape: readonly number[]): Tensor;
    readonly io: { decodeWeights(bytes: ArrayBuffer, manifest: unknown): unknown };
  };
  readonly env: { setEnv(environment: object): void };
  readonly TinyFaceDetector: new () => {
    loadFromWeightMap(weights: unknown): void;
    forward(input: Tensor, size: number): Promise<Tensor>;
  };
}

/** Raw outputs of the original for square RGB bytes: [row][column][anchor of 5][x, y, width, height, objectness]. */
export async function originalOutputs(rgb: Uint8Array, size: number): Promise<Float32Array> {
  const home = dirname(createRequire(import.meta.url).resolve("@vladmandic/face-api/package.json"));
  const api = await load(join(home, "dist", "face-api.esm.js"));
  const manifest = JSON.parse(
    readFileSync(join(home, "model", "tiny_face_detector_model-weights_manifest.json"), "utf8"),
  ) as [{ weights: unknown }];
  const bytes = new Uint8Array(readFileSync(join(home, "model", "tiny_face_detector_model.bin")));
  const network = new api.TinyFaceDetector();
  network.loadFromWeightMap(api.tf.io.decodeWeights(bytes.buffer, manifest[0].weights));
  const input = api.tf.tensor4d(Float32Array.from(rgb), [1, size, size, 3]);
  return (await network.forward(input, size)).dataSync();
}

/** The bundle is made for browsers and asks for modules of older Node when it sees a Node: it is not shown one. */
async function load(file: string): Promise<FaceApi> {
  const versions = Object.getOwnPropertyDescriptor(process, "versions");
  Object.defineProperty(process, "versions", { value: {}, configurable: true });
  try {
    const api = (await import(pathToFileURL(file).href)) as FaceApi;
    api.tf.env().setPlatform("plain", {
      isTypedArray: ArrayBuffer.isView,
      now: () => performance.now(),
    });
    await api.tf.setBackend("cpu");
    const Unused = class {};
    api.env.setEnv({ Canvas: Unused, Image: Unused, Video: Unused, ImageData: Unused });
    return api;
  } finally {
    if (versions !== undefined) Object.defineProperty(process, "versions", versions);
  }
}
