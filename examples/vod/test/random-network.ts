// Weights of the right shape for any darknet configuration: random numbers that neither grow nor die from layer to layer.
import { referenceShapes } from "./reference-shapes.ts";
import { seededRandom } from "./seeded-random.ts";

/** Bytes of a weights file that fits the configuration. */
export function randomWeights(configuration: string, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const convolutions = referenceShapes(configuration).flatMap(
    ({ convolution }) => convolution ?? [],
  );
  const count = convolutions.reduce(
    (sum, { filters, inputs, normalized }) => sum + filters * (inputs + (normalized ? 4 : 1)),
    0,
  );
  const bytes = new Uint8Array(20 + 4 * count);
  new DataView(bytes.buffer).setInt32(4, 2, true);
  const values = new Float32Array(bytes.buffer, 20);
  let at = 0;
  for (const { filters, inputs, normalized } of convolutions) {
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

/** A picture of noise for a network. */
export function randomInput(
  size: { readonly width: number; readonly height: number; readonly channels: number },
  seed: number,
): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: size.width * size.height * size.channels }, random);
}
