// A naive inference engine for darknet networks: the oracle of the C engine, layer by layer. Sums are kept in double
// precision and rounded once per value, so that what differs beyond rounding is the other side's fault.
import { type ConfigSection, numberOf, numbersOf, readConfig } from "./darknet-config.ts";

/** A volume of values, channel by channel, row by row. */
export interface Volume {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly values: Float32Array;
}

/** A layer after a run. */
export interface ReferenceLayer {
  readonly kind: string;
  readonly section: ConfigSection;
  readonly output: Volume;
}

/** A network with its weights: run it on one input. */
export interface ReferenceNetwork {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Outputs of all layers, in order. */
  run(input: Float32Array): ReferenceLayer[];
}

type Step = (input: Volume, earlier: readonly ReferenceLayer[]) => Volume;

// Darknet's guard against a variance of zero.
const VARIANCE_GUARD = 0.000001;

/** A network from the two files darknet reads. */
export function referenceNetwork(configuration: string, weights: Uint8Array): ReferenceNetwork {
  const [net, ...sections] = readConfig(configuration);
  if (net?.name !== "net" && net?.name !== "network") throw new Error("[net] is missing");
  const size = {
    width: numberOf(net, "width", 0),
    height: numberOf(net, "height", 0),
    channels: numberOf(net, "channels", 3),
  };
  const reader = new WeightsReader(weights);
  // Weights stand in the file in the order of layers, and how many a layer has depends on the channels before it:
  // they are taken during the first run and kept.
  const steps: Step[] = [];
  const run = (values: Float32Array): ReferenceLayer[] => {
    const layers: ReferenceLayer[] = [];
    let current: Volume = { ...size, values };
    for (const [index, section] of sections.entries()) {
      const step = steps[index] ?? stepOf(section, current, reader);
      steps[index] = step;
      current = step(current, layers);
      layers.push({ kind: section.name, section, output: current });
    }
    reader.end();
    return layers;
  };
  return { ...size, run };
}

class WeightsReader {
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [major, minor] = [this.#view.getInt32(0, true), this.#view.getInt32(4, true)];
    this.#at = major * 10 + minor >= 2 ? 20 : 16;
  }

  take(count: number): Float32Array {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 1) values[i] = this.#view.getFloat32(this.#at + 4 * i, true);
    this.#at += 4 * count;
    return values;
  }

  end(): void {
    if (this.#at !== this.#view.byteLength) {
      throw new Error(`${this.#view.byteLength - this.#at} bytes of weights are left over`);
    }
  }
}

function stepOf(section: ConfigSection, input: Volume, reader: WeightsReader): Step {
  switch (section.name) {
    case "convolutional":
    case "conv":
      return convolution(section, input.channels, reader);
    case "maxpool":
      return (volume) => maximumPool(section, volume);
    case "upsample":
      return (volume) => upsample(section, volume);
    case "route":
      return (_, earlier) => route(section, earlier);
    case "shortcut":
      return (volume, earlier) => shortcut(section, volume, earlier);
    case "dropout":
      return (volume) => volume;
    case "yolo":
      return (volume) => yolo(section, volume);
    case "region":
      return (volume) => region(section, volume);
    default:
      throw new Error(`unknown layer [${section.name}]`);
  }
}

function convolution(section: ConfigSection, inputs: number, reader: WeightsReader): Step {
  const filters = numberOf(section, "filters", 1);
  const size = numberOf(section, "size", 1);
  const stride = numberOf(section, "stride", 1);
  const groups = numberOf(section, "groups", 1);
  const pad = numberOf(section, "pad", 0) ? size >> 1 : numberOf(section, "padding", 0);
  const normalized = numberOf(section, "batch_normalize", 0) !== 0;
  const activate = activation(section, "logistic");
  const biases = reader.take(filters);
  const [scales, means, variances] = normalized
    ? [reader.take(filters), reader.take(filters), reader.take(filters)]
    : [];
  const perGroup = inputs / groups;
  const weights = reader.take(filters * perGroup * size * size);
  return (volume) => {
    const width = Math.floor((volume.width + 2 * pad - size) / stride) + 1;
    const height = Math.floor((volume.height + 2 * pad - size) / stride) + 1;
    const values = new Float32Array(width * height * filters);
    const sums = new Float64Array(width * height);
    for (let filter = 0; filter < filters; filter += 1) {
      sums.fill(0);
      const first = Math.floor(filter / (filters / groups)) * perGroup;
      for (let channel = 0; channel < perGroup; channel += 1) {
        for (let tap = 0; tap < size * size; tap += 1) {
          const weight = weights[(filter * perGroup + channel) * size * size + tap] ?? 0;
          const [dx, dy] = [(tap % size) - pad, Math.floor(tap / size) - pad];
          addShifted(sums, { width, height }, volume, first + channel, { weight, dx, dy, stride });
        }
      }
      const scale =
        (scales?.[filter] ?? 1) / (Math.sqrt(variances?.[filter] ?? 1) + VARIANCE_GUARD);
      for (let i = 0; i < sums.length; i += 1) {
        const sum = normalized ? ((sums[i] ?? 0) - (means?.[filter] ?? 0)) * scale : (sums[i] ?? 0);
        values[filter * sums.length + i] = activate(sum + (biases[filter] ?? 0));
      }
    }
    return { width, height, channels: filters, values };
  };
}

function addShifted(
  sums: Float64Array,
  { width, height }: { width: number; height: number },
  input: Volume,
  channel: number,
  tap: { weight: number; dx: number; dy: number; stride: number },
): void {
  const { weight, dx, dy, stride } = tap;
  const plane = channel * input.width * input.height;
  for (let y = 0; y < height; y += 1) {
    const row = y * stride + dy;
    if (row < 0 || row >= input.height) continue;
    for (let x = 0; x < width; x += 1) {
      const column = x * stride + dx;
      if (column < 0 || column >= input.width) continue;
      sums[y * width + x] =
        (sums[y * width + x] ?? 0) +
        weight * (input.values[plane + row * input.width + column] ?? 0);
    }
  }
}

function maximumPool(section: ConfigSection, input: Volume): Volume {
  const stride = numberOf(section, "stride", 1);
  const size = numberOf(section, "size", stride);
  const padding = numberOf(section, "padding", size - 1);
  const offset = Math.trunc(-padding / 2);
  const width = Math.floor((input.width + padding - size) / stride) + 1;
  const height = Math.floor((input.height + padding - size) / stride) + 1;
  return build(width, height, input.channels, (x, y, channel) => {
    let largest = -Infinity;
    for (let dy = 0; dy < size; dy += 1) {
      for (let dx = 0; dx < size; dx += 1) {
        const [column, row] = [x * stride + dx + offset, y * stride + dy + offset];
        if (column >= 0 && row >= 0 && column < input.width && row < input.height) {
          largest = Math.max(largest, at(input, column, row, channel));
        }
      }
    }
    return largest;
  });
}

function upsample(section: ConfigSection, input: Volume): Volume {
  const stride = numberOf(section, "stride", 2);
  const scale = numberOf(section, "scale", 1);
  return build(input.width * stride, input.height * stride, input.channels, (x, y, channel) => {
    return scale * at(input, Math.floor(x / stride), Math.floor(y / stride), channel);
  });
}

function route(section: ConfigSection, earlier: readonly ReferenceLayer[]): Volume {
  const groups = numberOf(section, "groups", 1);
  const group = numberOf(section, "group_id", 0);
  const parts = numbersOf(section, "layers").map((index) => {
    const { channels, values, ...size } = layerAt(earlier, index);
    const count = values.length / groups;
    const part = values.subarray(group * count, (group + 1) * count);
    return { ...size, channels: channels / groups, values: part };
  });
  const [first] = parts;
  if (first === undefined) throw new Error("route without layers");
  const channels = parts.reduce((sum, part) => sum + part.channels, 0);
  const values = new Float32Array(first.width * first.height * channels);
  let offset = 0;
  for (const part of parts) {
    values.set(part.values, offset);
    offset += part.values.length;
  }
  return { width: first.width, height: first.height, channels, values };
}

function shortcut(
  section: ConfigSection,
  input: Volume,
  earlier: readonly ReferenceLayer[],
): Volume {
  const from = layerAt(earlier, numbersOf(section, "from")[0] ?? -1);
  const activate = activation(section, "linear");
  return build(input.width, input.height, input.channels, (x, y, channel) =>
    activate(at(input, x, y, channel) + at(from, x, y, channel)),
  );
}

function yolo(section: ConfigSection, input: Volume): Volume {
  const entries = numberOf(section, "classes", 20) + 5;
  return build(input.width, input.height, input.channels, (x, y, channel) => {
    const entry = channel % entries;
    const value = at(input, x, y, channel);
    return entry === 2 || entry === 3 ? value : logistic(value);
  });
}

function region(section: ConfigSection, input: Volume): Volume {
  const classes = numberOf(section, "classes", 20);
  const coords = numberOf(section, "coords", 4);
  const softmax = numberOf(section, "softmax", 0) !== 0;
  const entries = classes + coords + 1;
  return build(input.width, input.height, input.channels, (x, y, channel) => {
    const entry = channel % entries;
    const value = at(input, x, y, channel);
    if (entry < 2 || entry === coords) return logistic(value);
    if (entry < coords) return value;
    if (!softmax) return logistic(value);
    const first = channel - entry + coords + 1;
    const all = Array.from({ length: classes }, (_, i) => at(input, x, y, first + i));
    const largest = Math.max(...all);
    return Math.exp(value - largest) / all.reduce((sum, v) => sum + Math.exp(v - largest), 0);
  });
}

function build(
  width: number,
  height: number,
  channels: number,
  valueAt: (x: number, y: number, channel: number) => number,
): Volume {
  const values = new Float32Array(width * height * channels);
  let index = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        values[index] = valueAt(x, y, channel);
        index += 1;
      }
    }
  }
  return { width, height, channels, values };
}

function at({ width, height, values }: Volume, x: number, y: number, channel: number): number {
  return values[(channel * height + y) * width + x] ?? Number.NaN;
}

function layerAt(earlier: readonly ReferenceLayer[], index: number): Volume {
  const layer = index < 0 ? earlier[earlier.length + index] : earlier[index];
  if (layer === undefined) throw new Error(`no layer ${index}`);
  return layer.output;
}

function activation(section: ConfigSection, absent: string): (value: number) => number {
  const name = section.options.get("activation") ?? absent;
  switch (name) {
    case "linear":
      return (value) => value;
    case "leaky":
      return (value) => (value > 0 ? value : 0.1 * value);
    case "relu":
      return (value) => Math.max(0, value);
    case "logistic":
      return logistic;
    case "mish":
      return (value) => value * Math.tanh(Math.log1p(Math.exp(value)));
    default:
      throw new Error(`unknown activation ${name}`);
  }
}

function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
