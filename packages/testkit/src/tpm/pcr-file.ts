// A file of PCR values as TPM tools write it: what lay in memory, with lists of eight digests.

/** Bytes that a digest takes, its length before it. */
const DIGEST = 66;

/** A file of the SHA-256 bank; a value is as many times its index. */
export function encodePcrFile(indices: readonly number[], algorithm = 11, length = 32): Uint8Array {
  const lists = Math.max(1, Math.ceil(indices.length / 8));
  const file = new Uint8Array(132 + 4 + lists * 532);
  const view = new DataView(file.buffer);
  view.setUint32(0, 1, true);
  view.setUint16(4, algorithm, true);
  file[6] = 3;
  for (const index of indices) {
    file[7 + (index >> 3)] = (file[7 + (index >> 3)] ?? 0) | (1 << (index & 7));
  }
  view.setUint32(132, lists, true);
  for (const [position, index] of indices.entries()) {
    const list = 136 + Math.floor(position / 8) * 532;
    view.setUint32(list, (position % 8) + 1, true);
    const at = list + 4 + (position % 8) * DIGEST;
    view.setUint16(at, length, true);
    file.fill(index, at + 2, at + 2 + length);
  }
  return file;
}
