// TensorFlow.js weights: a manifest in JSON beside one binary file. Only what the face detector uses: one group, one
// file, tensors quantised to bytes, each with its own scale and minimum.
import { ModelError } from "./errors.ts";

/** A tensor with its values as 32-bit floats. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface QuantizedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly minimum: number;
}

/** Name of the one binary file that a manifest lists. */
export function weightsFileOf(manifest: string): string {
  return readManifest(manifest).file;
}

/**
 * Tensors by name, dequantised: value = byte × scale + minimum, rounded to a 32-bit float once.
 * @throws ModelError MODEL_MANIFEST when the manifest is of another kind, MODEL_WEIGHTS when the bytes do not fit it
 */
export function readTensors(manifest: string, bytes: Uint8Array): ReadonlyMap<string, Tensor> {
  const { tensors } = readManifest(manifest);
  const needed = tensors.reduce((sum, { shape }) => sum + countOf(shape), 0);
  if (needed !== bytes.length) {
    throw new ModelError(
      "MODEL_WEIGHTS",
      `the manifest lists ${needed} weights, the file holds ${bytes.length} bytes`,
    );
  }
  let at = 0;
  return new Map(
    tensors.map(({ name, shape, scale, minimum }) => {
      const values = Float32Array.from(
        bytes.subarray(at, at + countOf(shape)),
        (byte) => byte * scale + minimum,
      );
      at += values.length;
      return [name, { name, shape, values }];
    }),
  );
}

function readManifest(text: string): { file: string; tensors: readonly QuantizedTensor[] } {
  const groups = parseJson(text);
  const group = Array.isArray(groups) && groups.length === 1 ? asRecord(groups[0]) : undefined;
  const paths = group?.["paths"];
  const weights = group?.["weights"];
  if (!Array.isArray(paths) || paths.length !== 1 || !Array.isArray(weights)) {
    throw new ModelError("MODEL_MANIFEST", "one group of weights in one file is expected");
  }
  const file: unknown = paths[0];
  if (typeof file !== "string" || !/^[\w.-]+$/.test(file)) {
    throw new ModelError("MODEL_MANIFEST", "the weights file needs a plain name");
  }
  return { file, tensors: weights.map(readTensor) };
}

function readTensor(value: unknown): QuantizedTensor {
  const tensor = asRecord(value);
  const quantization = asRecord(tensor?.["quantization"]);
  const { name, shape } = { name: tensor?.["name"], shape: tensor?.["shape"] };
  const { scale, minimum } = { scale: quantization?.["scale"], minimum: quantization?.["min"] };
  if (
    typeof name !== "string" ||
    !isShape(shape) ||
    quantization?.["dtype"] !== "uint8" ||
    typeof scale !== "number" ||
    typeof minimum !== "number"
  ) {
    throw new ModelError("MODEL_MANIFEST", `tensor ${String(name)} is not quantised to bytes`);
  }
  return { name, shape, scale, minimum };
}

function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= 4 &&
    value.every((size) => Number.isInteger(size) && size > 0 && size <= 4096)
  );
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelError("MODEL_MANIFEST", "the manifest is not JSON", { cause });
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}
