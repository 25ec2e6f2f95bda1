// Weights of the right shape for any darknet configuration: random numbers that stay finite from layer to layer.
import { type LayerShape, referenceShapes } from "./reference-shapes.ts";
import { seededRandom } from "./seeded-random.ts";

const HEADER_BYTES = 20;

/** Bytes of a weights file that fits the configuration. */
export function randomWeights(configuration: string, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const bytes = new Uint8Array(weightsBytes(configuration));
  new DataView(bytes.buffer).setInt32(4, 2, true);
  const values = new Float32Array(bytes.buffer, HEADER_BYTES);
  let at = 0;
  for (const { filters, inputs, normalized } of convolutionsOf(configuration)) {
    const fill = (length: number, least: number, most: number) => {
      for (const end = at + length; at < end; at += 1)
        values[at] = least + random() * (most - least);
    };
    fill(filters, -0.2, 0.2);
    if (normalized) {
      fill(filters, 0.6, 1.4);
      fill(filters, -0.3, 0.3);
      fill(filters, 0.5, 1.5);
    }
    const spread = Math.sqrt(4.5 / inputs);
    fill(filters * inputs, -spread, spread);
  }
  return bytes;
}

/** Length of the weights file that a configuration needs. */
export function weightsBytes(configuration: string): number {
  const floats = convolutionsOf(configuration).reduce(
    (sum, { filters, inputs, normalized }) => sum + filters * (inputs + (normalized ? 4 : 1)),
    0,
  );
  return HEADER_BYTES + 4 * floats;
}

/** A picture of noise for a network. */
export function randomInput(
  size: { readonly width: number; readonly height: number; readonly channels: number },
  seed: number,
): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: size.width * size.height * size.channels }, random);
}

function convolutionsOf(configuration: string): NonNullable<LayerShape["convolution"]>[] {
  return referenceShapes(configuration).flatMap(({ convolution }) => convolution ?? []);
}
