// Writes a network as the two files darknet reads: the configuration (sections of key=value) and the weights
// (a header, then for each convolution its biases and filters as little-endian floats).

/** A section of a configuration: its name and its lines in order. */
export interface Section {
  readonly name: string;
  readonly options: Readonly<Record<string, string | number>>;
}

/** The numbers of one convolution without batch normalisation; filters are [output][input / groups][row][column]. */
export interface ConvolutionWeights {
  readonly biases: Float32Array;
  readonly filters: Float32Array;
}

// Version 0.2 of the format has an eight-byte counter of pictures seen in training. 20 bytes in all.
const MAJOR = 0;
const MINOR = 2;
const REVISION = 0;
const HEADER_BYTES = 20;

/** Text of a configuration, opened by a comment of one or more lines. */
export function writeConfiguration(
  comment: readonly string[],
  sections: readonly Section[],
): string {
  const head = comment.map((line) => `# ${line}\n`).join("");
  const body = sections.map(
    ({ name, options }) =>
      `\n[${name}]\n${Object.entries(options)
        .map(([key, value]) => `${key}=${value}\n`)
        .join("")}`,
  );
  return head + body.join("");
}

/** Bytes of a weights file. */
export function writeWeights(convolutions: readonly ConvolutionWeights[]): Uint8Array {
  const count = convolutions.reduce(
    (sum, { biases, filters }) => sum + biases.length + filters.length,
    0,
  );
  const bytes = new Uint8Array(HEADER_BYTES + 4 * count);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, MAJOR, true);
  view.setInt32(4, MINOR, true);
  view.setInt32(8, REVISION, true);
  let at = HEADER_BYTES;
  for (const { biases, filters } of convolutions) {
    for (const values of [biases, filters]) {
      for (const value of values) {
        view.setFloat32(at, value, true);
        at += 4;
      }
    }
  }
  return bytes;
}
