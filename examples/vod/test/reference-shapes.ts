// Shapes of a darknet network's layers, worked out without running it: how many weights each convolution has.
import { type ConfigSection, numberOf, numbersOf, readConfig } from "./darknet-config.ts";

/** A layer's output, and what its weights are when it is a convolution. */
export interface LayerShape {
  readonly kind: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly convolution?: {
    readonly filters: number;
    /** Weights of one filter. */
    readonly inputs: number;
    readonly normalized: boolean;
  };
}

/** The layers of a configuration in order. */
export function referenceShapes(configuration: string): LayerShape[] {
  const [net, ...sections] = readConfig(configuration);
  if (net === undefined) throw new Error("[net] is missing");
  const shapes: LayerShape[] = [];
  let input: LayerShape = {
    kind: "net",
    width: numberOf(net, "width", 0),
    height: numberOf(net, "height", 0),
    channels: numberOf(net, "channels", 3),
  };
  for (const section of sections) {
    input = shapeOf(section, input, shapes);
    shapes.push(input);
  }
  return shapes;
}

function shapeOf(
  section: ConfigSection,
  input: LayerShape,
  earlier: readonly LayerShape[],
): LayerShape {
  const kind = section.name;
  const stride = numberOf(section, "stride", kind === "upsample" ? 2 : 1);
  const { width, height, channels } = input;
  switch (kind) {
    case "convolutional":
      return convolutionShape(section, input, stride);
    case "maxpool": {
      const size = numberOf(section, "size", stride);
      const spare = numberOf(section, "padding", size - 1) - size;
      const along = (length: number) => Math.floor((length + spare) / stride) + 1;
      return { kind, width: along(width), height: along(height), channels };
    }
    case "upsample":
      return { kind, width: width * stride, height: height * stride, channels };
    case "route":
      return routeShape(section, earlier);
    default:
      return { kind, width, height, channels };
  }
}

function convolutionShape(section: ConfigSection, input: LayerShape, stride: number): LayerShape {
  const size = numberOf(section, "size", 1);
  const pad = numberOf(section, "pad", 0) ? size >> 1 : numberOf(section, "padding", 0);
  const along = (length: number) => Math.floor((length + 2 * pad - size) / stride) + 1;
  const filters = numberOf(section, "filters", 1);
  return {
    kind: section.name,
    width: along(input.width),
    height: along(input.height),
    channels: filters,
    convolution: {
      filters,
      inputs: (input.channels / numberOf(section, "groups", 1)) * size * size,
      normalized: numberOf(section, "batch_normalize", 0) !== 0,
    },
  };
}

function routeShape(section: ConfigSection, earlier: readonly LayerShape[]): LayerShape {
  const parts = numbersOf(section, "layers").flatMap((index) => earlier.at(index) ?? []);
  const [first] = parts;
  if (first === undefined) throw new Error("route without layers");
  const all = parts.reduce((sum, { channels }) => sum + channels, 0);
  const channels = all / numberOf(section, "groups", 1);
  return { kind: section.name, width: first.width, height: first.height, channels };
}
