// SM3 (GB/T 32905-2016), the hash of event logs on Hygon machines: Web Cryptography has none. It is for replaying logs alone,
// so it need not be fast.

const START = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
] as const;
const BLOCK = 64;

/** The digest of bytes: 32 bytes. */
export function sm3(message: Uint8Array): Uint8Array {
  const padded = pad(message);
  const state = Uint32Array.from(START);
  for (let at = 0; at < padded.byteLength; at += BLOCK) {
    compress(state, new DataView(padded.buffer, at, BLOCK));
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (const [index, word] of state.entries()) digest.setUint32(4 * index, word);
  return new Uint8Array(digest.buffer);
}

/** One bit, zeros, and the length in bits, up to whole blocks. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  return padded;
}

/** Words are added modulo 2^32: what is stored in a Uint32Array, or shifted, is. */
function compress(state: Uint32Array, block: DataView): void {
  const words = expand(block);
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let round = 0; round < 64; round += 1) {
    const early = round < 16;
    const constant = rotate(early ? 0x79cc4519 : 0x7a879d8a, round % 32);
    const first = rotate((rotate(a, 12) + e + constant) >>> 0, 7);
    const second = first ^ rotate(a, 12);
    const choice = early ? e ^ f ^ g : (e & f) | (~e & g);
    const majority = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const word = words[round] ?? 0;
    const left = (majority + d + second + (word ^ (words[round + 4] ?? 0))) >>> 0;
    const right = (choice + h + first + word) >>> 0;
    [a, b, c, d] = [left, a, rotate(b, 9), c];
    [e, f, g, h] = [right ^ rotate(right, 9) ^ rotate(right, 17), e, rotate(f, 19), g];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) {
    state[index] = (state[index] ?? 0) ^ word;
  }
}

function expand(block: DataView): Uint32Array {
  const words = new Uint32Array(68);
  const at = (index: number): number => words[index] ?? 0;
  for (let index = 0; index < 16; index += 1) words[index] = block.getUint32(4 * index);
  for (let index = 16; index < 68; index += 1) {
    const mixed = at(index - 16) ^ at(index - 9) ^ rotate(at(index - 3), 15);
    const spread = mixed ^ rotate(mixed, 15) ^ rotate(mixed, 23);
    words[index] = spread ^ rotate(at(index - 13), 7) ^ at(index - 6);
  }
  return words;
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> ((32 - by) % 32))) >>> 0;
}
