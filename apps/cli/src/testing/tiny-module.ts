// WebAssembly programs of a few instructions, written byte by byte.

const WASI = "wasi_snapshot_preview1";
const I32 = 0x7f;

/** A program that exits with a code. */
export function exitingModule(code: number): Uint8Array {
  const body = [0x41, ...signed(code), 0x10, 0x00];
  return moduleOf([["proc_exit", [I32], []]], body, []);
}

/** A program that writes a text to stdout and returns. */
export function writingModule(text: string): Uint8Array {
  const bytes = [...new TextEncoder().encode(text)];
  const vector = [16, 0, 0, 0, bytes.length & 0xff, bytes.length >> 8, 0, 0];
  const body = [
    ...[1, 0, 1, 8].flatMap((value) => [0x41, ...signed(value)]),
    0x10,
    0x00,
    0x1a, // drop
  ];
  const data = [...vector, 0, 0, 0, 0, 0, 0, 0, 0, ...bytes];
  return moduleOf([["fd_write", [I32, I32, I32, I32], [I32]]], body, data);
}

/** A program that traps. */
export function trappingModule(): Uint8Array {
  return moduleOf([], [0x00], []);
}

/** A program that never ends. */
export function loopingModule(): Uint8Array {
  return moduleOf([], [0x03, 0x40, 0x0c, 0x00, 0x0b], []);
}

type Import = readonly [name: string, parameters: readonly number[], results: readonly number[]];

function moduleOf(
  imports: readonly Import[],
  body: readonly number[],
  data: readonly number[],
): Uint8Array {
  const types = [
    ...imports.map(([, parameters, results]) => [0x60, ...vector(parameters), ...vector(results)]),
    [0x60, 0, 0],
  ];
  const start = imports.length;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [types.length, ...types.flat()]),
    ...section(2, [
      imports.length,
      ...imports.flatMap(([name], i) => [...text(WASI), ...text(name), 0, i]),
    ]),
    ...section(3, [1, start]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text("memory"), 2, 0, ...text("_start"), 0, start]),
    ...section(10, [1, ...vector([0, ...body, 0x0b])]),
    ...section(11, data.length === 0 ? [0] : [1, 0, 0x41, 0, 0x0b, ...vector(data)]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...vector(content)];
}

function vector(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function text(value: string): number[] {
  return vector([...new TextEncoder().encode(value)]);
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)];
}

function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
