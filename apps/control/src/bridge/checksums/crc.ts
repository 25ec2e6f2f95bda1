// Reflected cyclic redundancy checks of up to 64 bits, eight bytes a step (slicing-by-8): CRC-32C and CRC-64/NVME as S3
// uses them. A state is two words of 32 bits; for checks of 32 bits the upper one stays zero.

/** A check's parameters; all start and end with all bits turned over. */
interface Polynomial {
  readonly high: number;
  readonly low: number;
  readonly bytes: 4 | 8;
}

const CRC32C: Polynomial = { high: 0, low: 0x82f63b78, bytes: 4 };
const CRC64_NVME: Polynomial = { high: 0x9a6c9329, low: 0xac4bc9b5, bytes: 8 };
const SLICES = 8;

/** The remainders of each byte at each of eight places. */
interface Tables {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

const made = new Map<Polynomial, Tables>();

/** A check that is computed as bytes come. */
export class Crc {
  readonly #polynomial: Polynomial;
  readonly #tables: Tables;
  #high: number;
  #low = 0xffffffff;

  private constructor(polynomial: Polynomial) {
    this.#polynomial = polynomial;
    this.#tables = tablesOf(polynomial);
    this.#high = polynomial.bytes === 8 ? 0xffffffff : 0;
  }

  /** CRC-32C (Castagnoli). */
  static crc32c(): Crc {
    return new Crc(CRC32C);
  }

  /** CRC-64/NVME. */
  static crc64nvme(): Crc {
    return new Crc(CRC64_NVME);
  }

  update(bytes: Uint8Array): void {
    const { high: th, low: tl } = this.#tables;
    let high = this.#high;
    let low = this.#low;
    const whole = bytes.length - (bytes.length % SLICES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < whole; at += SLICES) {
      const a = low ^ view.getUint32(at, true);
      const b = high ^ view.getUint32(at + 4, true);
      const a0 = 1792 + (a & 255);
      const a1 = 1536 + ((a >>> 8) & 255);
      const a2 = 1280 + ((a >>> 16) & 255);
      const a3 = 1024 + (a >>> 24);
      const b0 = 768 + (b & 255);
      const b1 = 512 + ((b >>> 8) & 255);
      const b2 = 256 + ((b >>> 16) & 255);
      const b3 = b >>> 24;
      low = at8(tl, a0, a1, a2, a3, b0, b1, b2, b3);
      high = at8(th, a0, a1, a2, a3, b0, b1, b2, b3);
    }
    for (let at = whole; at < bytes.length; at += 1) {
      const index = (low ^ (bytes[at] as number)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ (tl[index] as number);
      high = (high >>> 8) ^ (th[index] as number);
    }
    this.#high = high;
    this.#low = low;
  }

  /** The check of all bytes so far, most significant byte first. */
  digest(): Uint8Array {
    const digest = new DataView(new ArrayBuffer(8));
    digest.setUint32(0, ~this.#high);
    digest.setUint32(4, ~this.#low);
    return new Uint8Array(digest.buffer, 8 - this.#polynomial.bytes);
  }
}

function at8(
  table: Uint32Array,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
): number {
  return (
    (table[a0] as number) ^
    (table[a1] as number) ^
    (table[a2] as number) ^
    (table[a3] as number) ^
    (table[b0] as number) ^
    (table[b1] as number) ^
    (table[b2] as number) ^
    (table[b3] as number)
  );
}

function tablesOf(polynomial: Polynomial): Tables {
  const known = made.get(polynomial);
  if (known !== undefined) return known;
  const high = new Uint32Array(SLICES * 256);
  const low = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry === 0) continue;
      l ^= polynomial.low;
      h ^= polynomial.high;
    }
    high[byte] = h;
    low[byte] = l;
  }
  // A byte one place further on is the same remainder, moved by eight zero bits.
  for (let index = 256; index < SLICES * 256; index += 1) {
    const h = high[index - 256] as number;
    const l = low[index - 256] as number;
    low[index] = ((l >>> 8) | (h << 24)) ^ (low[l & 255] as number);
    high[index] = (h >>> 8) ^ (high[l & 255] as number);
  }
  const tables = { high, low };
  made.set(polynomial, tables);
  return tables;
}
