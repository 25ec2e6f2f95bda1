// Small random networks of every kind of layer, for comparing engines: shapes always fit, everything else is drawn.
import { referenceShapes } from "./reference-shapes.ts";
import { seededRandom } from "./seeded-random.ts";

/** What a drawn network may use. */
export interface DrawOptions {
  /** Things that darknet of 2018 does not know: route groups, mish, scale_x_y. */
  readonly newer: boolean;
}

type Draw = (least: number, most: number) => number;

/** A configuration drawn from a seed. */
export function randomConfiguration(seed: number, { newer }: DrawOptions): string {
  const random = seededRandom(seed);
  const draw: Draw = (least, most) => least + Math.floor(random() * (most - least + 1));
  const size = [draw(9, 26), draw(9, 26)];
  let text = `[net]\nbatch=1\nsubdivisions=1\nwidth=${size[0]}\nheight=${size[1]}\nchannels=3\n`;
  for (let layer = draw(4, 12); layer > 0; layer -= 1) text += section(text, draw, newer);
  return text + head(draw, newer);
}

function section(text: string, draw: Draw, newer: boolean): string {
  const shapes = referenceShapes(text);
  const [last, index] = [shapes.at(-1), shapes.length - 1];
  if (last === undefined) return convolution(3, draw, newer);
  const alike = shapes.flatMap((shape, i) =>
    shape.width === last.width && shape.height === last.height ? [i] : [],
  );
  const equal = alike.filter((i) => i !== index && shapes[i]?.channels === last.channels);
  const kind = draw(0, 8);
  if (kind === 0 && last.width > 4 && last.height > 4) return pool(draw);
  if (kind === 1 && last.width < 30) return `\n[upsample]\nstride=${draw(2, 3)}\n`;
  if (kind === 2) {
    // An odd layer out exercises routes that copy; one source alone is another name for it.
    const sources = Array.from({ length: draw(1, 3) }, () => alike[draw(0, alike.length - 1)] ?? 0);
    const written = sources.map((i) => (draw(0, 1) === 1 ? i : i - shapes.length)).join(", ");
    const halves = newer && sources.every((i) => (shapes[i]?.channels ?? 1) % 2 === 0);
    return `\n[route]\nlayers = ${written}\n${halves ? `groups=2\ngroup_id=${draw(0, 1)}\n` : ""}`;
  }
  if ((kind === 3 || kind === 5) && equal.length > 0) {
    const from = equal[draw(0, equal.length - 1)] ?? 0;
    return `\n[shortcut]\nfrom=${from - shapes.length}\nactivation=${pick(["linear", "leaky"], draw)}\n`;
  }
  if (kind === 4) return "\n[dropout]\nprobability=.2\n";
  return convolution(last.channels, draw, newer);
}

function convolution(inputs: number, draw: Draw, newer: boolean): string {
  const depthwise = draw(0, 3) === 0;
  const grouped = inputs % 2 === 0 && draw(0, 3) === 0;
  const filters = depthwise ? inputs : grouped ? 2 * draw(1, 9) : draw(1, 20);
  const size = pick([1, 3, 3, 5], draw);
  const names = ["linear", "leaky", "leaky", "relu", "logistic", ...(newer ? ["mish"] : [])];
  return [
    "\n[convolutional]",
    ...(draw(0, 2) > 0 ? ["batch_normalize=1"] : []),
    `filters=${filters}`,
    `size=${size}`,
    // Darknet of 2018 takes a 1×1 convolution with stride 2 for one with stride 1, at wrong places.
    `stride=${size > 1 && draw(0, 3) === 0 ? 2 : 1}`,
    ...(size === 1 || draw(0, 4) > 0 ? ["pad=1"] : [`padding=${draw(1, 2)}`]),
    ...(depthwise ? [`groups=${inputs}`] : grouped ? ["groups=2"] : []),
    `activation=${pick(names, draw)}\n`,
  ].join("\n");
}

function pool(draw: Draw): string {
  const padding = draw(0, 3) === 0 ? `padding=${draw(0, 2)}\n` : "";
  return `\n[maxpool]\nsize=${draw(2, 3)}\nstride=${draw(1, 2)}\n${padding}`;
}

function head(draw: Draw, newer: boolean): string {
  const [classes, anchors] = [draw(1, 4), draw(1, 3)];
  const sizes = (most: number, unit: number) =>
    Array.from({ length: 2 * anchors }, () => draw(2, most) / unit).join(", ");
  const last =
    `\n[convolutional]\nfilters=${anchors * (classes + 5)}\nsize=1\nstride=1\npad=1\n` +
    "activation=linear\n";
  const region =
    `\n[region]\nanchors=${sizes(8, 5)}\nclasses=${classes}\ncoords=4\nnum=${anchors}\n` +
    `softmax=${draw(0, 1)}\n`;
  const masks = Array.from({ length: anchors }, (_, i) => i).join(",");
  const yolo =
    `\n[yolo]\nmask=${masks}\nanchors=${sizes(30, 10)}\nclasses=${classes}\nnum=${anchors}\n` +
    (newer && draw(0, 1) === 1 ? "scale_x_y=1.1\n" : "");
  return last + (draw(0, 1) === 1 ? region : yolo);
}

function pick<T>(values: readonly [T, ...T[]] | readonly T[], draw: Draw): T {
  return values[draw(0, values.length - 1)] as T;
}
