// What darknet does around a network, written plainly for the reference: letterbox on grey, boxes from the raw output
// of region and yolo layers, non-maximum suppression per class.
import { numberOf, numbersOf } from "./darknet-config.ts";
import type { ReferenceLayer, Volume } from "./reference.ts";

/** A box in pixels of the picture, by its centre. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One found object. */
export interface Detection {
  readonly label: number;
  readonly score: number;
  readonly box: Box;
}

/** A picture of interleaved RGB bytes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

const GREY = 0.5;

/** The picture scaled (bilinear, corners aligned) to fit the network's input, centred on grey; RGB over 255. */
export function letterbox(picture: Picture, width: number, height: number): Float32Array {
  const inner = innerSize(picture, width, height);
  const [left, top] = [(width - inner.width) >> 1, (height - inner.height) >> 1];
  const [stepX, stepY] = [
    (picture.width - 1) / (inner.width - 1),
    (picture.height - 1) / (inner.height - 1),
  ];
  const values = new Float32Array(3 * width * height).fill(GREY);
  for (let y = 0; y < inner.height; y += 1) {
    for (let x = 0; x < inner.width; x += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        values[(channel * height + top + y) * width + left + x] = sample(
          picture,
          x * stepX,
          y * stepY,
          channel,
        );
      }
    }
  }
  return values;
}

/** Everything above the threshold, suppressed per class by overlap, best first, clipped to the picture. */
export function detectionsOf(
  layers: readonly ReferenceLayer[],
  input: { readonly width: number; readonly height: number },
  picture: { readonly width: number; readonly height: number },
  { threshold, overlap }: { threshold: number; overlap: number },
): Detection[] {
  return suppress(candidatesOf(layers, input, picture, threshold), overlap).flatMap((detection) => {
    const box = clip(detection.box, picture);
    return box === undefined ? [] : [{ ...detection, box }];
  });
}

/** Everything above the threshold, neither suppressed nor clipped. */
export function candidatesOf(
  layers: readonly ReferenceLayer[],
  input: { readonly width: number; readonly height: number },
  picture: { readonly width: number; readonly height: number },
  threshold: number,
): Detection[] {
  const inner = innerSize(picture, input.width, input.height);
  // Where the picture really lies. Darknet takes half a pixel more when the border is odd.
  const [left, top] = [(input.width - inner.width) >> 1, (input.height - inner.height) >> 1];
  const [scaleX, scaleY] = [picture.width / inner.width, picture.height / inner.height];
  const found = layers.flatMap((layer) =>
    layer.kind === "yolo" || layer.kind === "region" ? boxesOf(layer, input, threshold) : [],
  );
  return found.map(({ box, ...detection }) => ({
    ...detection,
    box: {
      x: (box.x * input.width - left) * scaleX,
      y: (box.y * input.height - top) * scaleY,
      width: box.width * input.width * scaleX,
      height: box.height * input.height * scaleY,
    },
  }));
}

/** The part of a box inside the picture. */
export function clip(
  { x, y, width, height }: Box,
  picture: { readonly width: number; readonly height: number },
): Box | undefined {
  const [left, top] = [Math.max(0, x - width / 2), Math.max(0, y - height / 2)];
  const right = Math.min(picture.width, x + width / 2);
  const bottom = Math.min(picture.height, y + height / 2);
  if (right <= left || bottom <= top) return undefined;
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    width: right - left,
    height: bottom - top,
  };
}

/** Intersection over union. */
export function overlapOf(left: Box, right: Box): number {
  const width = shared(left.x, left.width, right.x, right.width);
  const height = shared(left.y, left.height, right.y, right.height);
  const common = Math.max(0, width) * Math.max(0, height);
  return common / (left.width * left.height + right.width * right.height - common);
}

function innerSize(
  picture: { readonly width: number; readonly height: number },
  width: number,
  height: number,
): { width: number; height: number } {
  return width / picture.width < height / picture.height
    ? { width, height: Math.trunc((picture.height * width) / picture.width) }
    : { width: Math.trunc((picture.width * height) / picture.height), height };
}

function sample({ width, height, rgb }: Picture, x: number, y: number, channel: number): number {
  const [left, top] = [Math.min(Math.floor(x), width - 1), Math.min(Math.floor(y), height - 1)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const [dx, dy] = [x - left, y - top];
  const at = (column: number, row: number) =>
    (rgb[(row * width + column) * 3 + channel] ?? 0) / 255;
  return (
    (1 - dy) * ((1 - dx) * at(left, top) + dx * at(right, top)) +
    dy * ((1 - dx) * at(left, bottom) + dx * at(right, bottom))
  );
}

function boxesOf(
  { kind, section, output }: ReferenceLayer,
  input: { readonly width: number; readonly height: number },
  threshold: number,
): Detection[] {
  const classes = numberOf(section, "classes", 20);
  const anchors = numbersOf(section, "anchors");
  const entries = classes + 5;
  const masks = section.options.has("mask")
    ? numbersOf(section, "mask")
    : Array.from({ length: output.channels / entries }, (_, i) => i);
  // Anchors of a region layer count in cells, those of a yolo layer in pixels of the input.
  const unit =
    kind === "region" ? { x: output.width, y: output.height } : { x: input.width, y: input.height };
  const spread = numberOf(section, "scale_x_y", 1);
  const centre = (at: number, offset: number) => at + offset * spread - (spread - 1) / 2;
  const found: Detection[] = [];
  for (const [slot, mask] of masks.entries()) {
    for (let cell = 0; cell < output.width * output.height; cell += 1) {
      const value = (entry: number) => plane(output, slot * entries + entry, cell);
      const objectness = value(4);
      if (objectness <= threshold) continue;
      const box = {
        x: centre(cell % output.width, value(0)) / output.width,
        y: centre(Math.floor(cell / output.width), value(1)) / output.height,
        width: (Math.exp(value(2)) * (anchors[2 * mask] ?? 0)) / unit.x,
        height: (Math.exp(value(3)) * (anchors[2 * mask + 1] ?? 0)) / unit.y,
      };
      for (let label = 0; label < classes; label += 1) {
        const score = objectness * value(5 + label);
        if (score > threshold) found.push({ label, score, box });
      }
    }
  }
  return found;
}

function plane({ width, height, values }: Volume, channel: number, cell: number): number {
  return values[channel * width * height + cell] ?? Number.NaN;
}

function suppress(found: readonly Detection[], overlap: number): Detection[] {
  const kept: Detection[] = [];
  for (const detection of found.toSorted((a, b) => b.score - a.score)) {
    const covered = kept.some(
      ({ label, box }) => label === detection.label && overlapOf(box, detection.box) > overlap,
    );
    if (!covered) kept.push(detection);
  }
  return kept;
}

function shared(left: number, leftSize: number, right: number, rightSize: number): number {
  return (
    Math.min(left + leftSize / 2, right + rightSize / 2) -
    Math.max(left - leftSize / 2, right - rightSize / 2)
  );
}
