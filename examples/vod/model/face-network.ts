// The tiny face detector's network in darknet's words. Facts of the original: input RGB of 416×416 less a mean colour,
// over 255; a 3×3 convolution without padding; five depthwise-separable convolutions with 2×2 pooling between them;
// a 1×1 convolution to five anchors of (x, y, width, height, objectness); YOLOv2's decoding.
import { type ConvolutionWeights, type Section, writeConfiguration } from "./darknet-files.ts";
import { ModelError } from "./errors.ts";
import type { Tensor } from "./tfjs-weights.ts";

/** A network ready to be written. */
export interface DarknetNetwork {
  readonly configuration: string;
  readonly convolutions: readonly ConvolutionWeights[];
}

const INPUT_SIZE = 416;
const MEAN_RGB = [117.001, 114.697, 97.404];
// Width and height of each anchor in cells of the last layer's grid.
const ANCHORS =
  "1.603231,2.094468, 6.041143,7.080126, 2.882459,3.518061, 4.266906,5.178857, 9.041765,10.66308";
const ANCHOR_COUNT = 5;
const BOX_VALUES = 5;
// The least score that the detector program reports. Below it this model sees faces in coins and in the eye.
const DETECT_THRESHOLD = 0.5;
const SEPARABLE = [32, 64, 128, 256, 512];

/**
 * The network out of the original's tensors.
 * @throws ModelError MODEL_WEIGHTS when a tensor is missing or of another shape
 */
export function faceNetwork(
  tensors: ReadonlyMap<string, Tensor>,
  comment: readonly string[],
): DarknetNetwork {
  const sections: Section[] = [
    {
      name: "net",
      options: {
        batch: 1,
        subdivisions: 1,
        width: INPUT_SIZE,
        height: INPUT_SIZE,
        channels: 3,
        detect_threshold: DETECT_THRESHOLD,
      },
    },
    convolution({ filters: 16, size: 3, pad: 0, activation: "leaky" }),
    pooling(2),
  ];
  const convolutions = [firstConvolution(tensors)];
  let inputs = 16;
  for (const [index, outputs] of SEPARABLE.entries()) {
    const name = `conv${index + 1}`;
    sections.push(
      convolution({ filters: inputs, groups: inputs, size: 3, pad: 1, activation: "linear" }),
      convolution({ filters: outputs, size: 1, pad: 0, activation: "leaky" }),
      pooling(outputs === 512 ? 1 : 2),
    );
    convolutions.push(
      depthwise(tensors, name, inputs),
      convolutionOf(tensors, `${name}/pointwise_filter`, `${name}/bias`, [1, 1, inputs, outputs]),
    );
    inputs = outputs;
  }
  sections.push(
    convolution({
      filters: ANCHOR_COUNT * (BOX_VALUES + 1),
      size: 1,
      pad: 0,
      activation: "linear",
    }),
    {
      name: "region",
      options: { anchors: ANCHORS, classes: 1, coords: 4, num: ANCHOR_COUNT, softmax: 1 },
    },
  );
  convolutions.push(lastConvolution(tensors, inputs));
  return { configuration: writeConfiguration(comment, sections), convolutions };
}

function convolution(options: {
  filters: number;
  groups?: number;
  size: number;
  pad: 0 | 1;
  activation: "leaky" | "linear";
}): Section {
  const { filters, groups, size, pad, activation } = options;
  return {
    name: "convolutional",
    options: { filters, ...(groups ? { groups } : {}), size, stride: 1, pad, activation },
  };
}

function pooling(stride: number): Section {
  return { name: "maxpool", options: { size: 2, stride } };
}

/**
 * Darknet feeds RGB over 255; the mean colour moves into the biases. That is exact only because this layer has no
 * padding: a padded border would be zero after the subtraction in the original, and before it here.
 */
function firstConvolution(tensors: ReadonlyMap<string, Tensor>): ConvolutionWeights {
  const { biases, filters } = convolutionOf(tensors, "conv0/filters", "conv0/bias", [3, 3, 3, 16]);
  const folded = biases.map((bias, output) => {
    let sum = 0;
    for (let channel = 0; channel < 3; channel += 1) {
      for (let tap = 0; tap < 9; tap += 1) {
        sum += ((filters[(output * 3 + channel) * 9 + tap] ?? 0) * (MEAN_RGB[channel] ?? 0)) / 255;
      }
    }
    return bias - sum;
  });
  return { biases: folded, filters };
}

/** A depthwise convolution is one of as many groups as channels; the original has no bias between the two halves. */
function depthwise(
  tensors: ReadonlyMap<string, Tensor>,
  name: string,
  channels: number,
): ConvolutionWeights {
  const source = tensorOf(tensors, `${name}/depthwise_filter`, [3, 3, channels, 1]);
  const filters = Float32Array.from(
    { length: source.length },
    (_, i) => source[(i % 9) * channels + Math.floor(i / 9)] ?? 0,
  );
  return { biases: new Float32Array(channels), filters };
}

/**
 * The original knows one class and gives it no score of its own. Darknet wants one value a class: a sixth plane of zeros
 * for each anchor, whose softmax over the one class is 1, so that the score stays the objectness.
 */
function lastConvolution(tensors: ReadonlyMap<string, Tensor>, inputs: number): ConvolutionWeights {
  const source = convolutionOf(tensors, "conv8/filters", "conv8/bias", [
    1,
    1,
    inputs,
    ANCHOR_COUNT * BOX_VALUES,
  ]);
  const planes = ANCHOR_COUNT * (BOX_VALUES + 1);
  const biases = new Float32Array(planes);
  const filters = new Float32Array(planes * inputs);
  for (let anchor = 0; anchor < ANCHOR_COUNT; anchor += 1) {
    const from = anchor * BOX_VALUES;
    const to = anchor * (BOX_VALUES + 1);
    biases.set(source.biases.subarray(from, from + BOX_VALUES), to);
    filters.set(source.filters.subarray(from * inputs, (from + BOX_VALUES) * inputs), to * inputs);
  }
  return { biases, filters };
}

function convolutionOf(
  tensors: ReadonlyMap<string, Tensor>,
  filterName: string,
  biasName: string,
  shape: readonly [number, number, number, number],
): ConvolutionWeights {
  const [rows, columns, inputs, outputs] = shape;
  const source = tensorOf(tensors, filterName, shape);
  const taps = rows * columns;
  const filters = new Float32Array(source.length);
  for (let output = 0; output < outputs; output += 1) {
    for (let input = 0; input < inputs; input += 1) {
      for (let tap = 0; tap < taps; tap += 1) {
        filters[(output * inputs + input) * taps + tap] =
          source[(tap * inputs + input) * outputs + output] ?? 0;
      }
    }
  }
  return { biases: tensorOf(tensors, biasName, [outputs]), filters };
}

function tensorOf(
  tensors: ReadonlyMap<string, Tensor>,
  name: string,
  shape: readonly number[],
): Float32Array {
  const tensor = tensors.get(name);
  if (tensor === undefined || tensor.shape.join() !== shape.join()) {
    throw new ModelError(
      "MODEL_WEIGHTS",
      `${name} of shape ${shape.join("×")} is expected, got ${tensor?.shape.join("×") ?? "nothing"}`,
    );
  }
  return tensor.values;
}
