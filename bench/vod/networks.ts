// The two networks of the seed's demonstration as darknet configurations: YOLOv3-tiny and full YOLOv3 at 416×416.
// Only their shapes count here; weights are random numbers.

const CLASSES = 80;
const INPUT = 416;
const TINY_ANCHORS = "10,14, 23,27, 37,58, 81,82, 135,169, 344,319";
const ANCHORS = "10,13, 16,30, 33,23, 30,61, 62,45, 59,119, 116,90, 156,198, 373,326";

/** YOLOv3-tiny: 24 layers, 5.56 billion operations. */
export function tinyNetwork(): string {
  const trunk = [16, 32, 64, 128, 256].flatMap((filters) => [convolution(filters, 3), pool(2)]);
  return [
    net(),
    ...trunk,
    convolution(512, 3),
    pool(1),
    convolution(1024, 3),
    convolution(256, 1),
    convolution(512, 3),
    ...head([3, 4, 5], TINY_ANCHORS, 6),
    route(-4),
    convolution(128, 1),
    upsample(),
    route(-1, 8),
    convolution(256, 3),
    ...head([0, 1, 2], TINY_ANCHORS, 6),
  ].join("\n");
}

/** Full YOLOv3: 107 layers, 65.86 billion operations. */
export function fullNetwork(): string {
  return [
    net(),
    convolution(32, 3),
    ...stage(64, 1),
    ...stage(128, 2),
    ...stage(256, 8),
    ...stage(512, 8),
    ...stage(1024, 4),
    ...pairs(512, 3),
    ...head([6, 7, 8], ANCHORS, 9),
    route(-4),
    convolution(256, 1),
    upsample(),
    route(-1, 61),
    ...pairs(256, 3),
    ...head([3, 4, 5], ANCHORS, 9),
    route(-4),
    convolution(128, 1),
    upsample(),
    route(-1, 36),
    ...pairs(128, 3),
    ...head([0, 1, 2], ANCHORS, 9),
  ].join("\n");
}

function net(): string {
  return `[net]\nbatch=1\nsubdivisions=1\nwidth=${INPUT}\nheight=${INPUT}\nchannels=3\n`;
}

/** Halves the picture, then residual blocks. */
function stage(filters: number, blocks: number): string[] {
  const block = [
    convolution(filters / 2, 1),
    convolution(filters, 3),
    "[shortcut]\nfrom=-3\nactivation=linear\n",
  ];
  return [convolution(filters, 3, 2), ...Array.from({ length: blocks }, () => block).flat()];
}

function pairs(filters: number, count: number): string[] {
  const pair = [convolution(filters, 1), convolution(2 * filters, 3)];
  return Array.from({ length: count }, () => pair).flat();
}

function head(mask: readonly number[], anchors: string, count: number): string[] {
  const filters = mask.length * (CLASSES + 5);
  return [
    `[convolutional]\nsize=1\nstride=1\npad=1\nfilters=${filters}\nactivation=linear\n`,
    `[yolo]\nmask=${mask.join()}\nanchors=${anchors}\nclasses=${CLASSES}\nnum=${count}\n`,
  ];
}

function convolution(filters: number, size: number, stride = 1): string {
  const shape = `filters=${filters}\nsize=${size}\nstride=${stride}\npad=1`;
  return `[convolutional]\nbatch_normalize=1\n${shape}\nactivation=leaky\n`;
}

function pool(stride: number): string {
  return `[maxpool]\nsize=2\nstride=${stride}\n`;
}

function route(...layers: readonly number[]): string {
  return `[route]\nlayers=${layers.join()}\n`;
}

function upsample(): string {
  return "[upsample]\nstride=2\n";
}
