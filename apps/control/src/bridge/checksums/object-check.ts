// What a store says of an object's bytes, and whether they are so: a checksum over the whole object, or one over the
// checksums of its parts ("composite", written with the number of parts behind a hyphen).
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc } from "./crc.ts";

/** Checksums that S3 knows, strongest first. */
export const ALGORITHMS = ["SHA256", "SHA1", "MD5", "CRC64NVME", "CRC32C", "CRC32"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** A checksum as it is computed. */
interface Digest {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** Bytes held against a checksum while they stream. */
export interface ObjectCheck {
  readonly algorithm: Algorithm;
  /** SHA-256 of the whole, when that is what the store says. */
  readonly sha256?: Uint8Array;
  add(bytes: Uint8Array): void;
  /** Throws, saying both, when the bytes have another one. Can be asked again. */
  verify(): void;
}

/** A check over the whole object. */
export function wholeCheck(algorithm: Algorithm, expected: Uint8Array): ObjectCheck {
  const digest = newDigest(algorithm);
  let found: Uint8Array | undefined;
  return {
    algorithm,
    ...(algorithm === "SHA256" ? { sha256: expected } : {}),
    add: (bytes) => digest.update(bytes),
    verify() {
      found ??= digest.digest();
      compare(algorithm, found, expected);
    },
  };
}

/**
 * A check over the checksums of parts.
 * @param sizes of the parts, in order
 */
export function compositeCheck(
  algorithm: Algorithm,
  expected: Uint8Array,
  sizes: readonly number[],
): ObjectCheck {
  const whole = newDigest(algorithm);
  let index = 0;
  let left = sizes[0] ?? 0;
  let part = newDigest(algorithm);
  let found: Uint8Array | undefined;
  return {
    algorithm,
    add(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        const taken = rest.subarray(0, left);
        part.update(taken);
        left -= taken.length;
        rest = rest.subarray(taken.length);
        if (left > 0) return;
        whole.update(part.digest());
        part = newDigest(algorithm);
        index += 1;
        left = sizes[index] ?? Number.POSITIVE_INFINITY;
      }
    },
    verify() {
      if (index < sizes.length) throw new Error("the object has fewer bytes than its parts");
      found ??= whole.digest();
      compare(algorithm, found, expected);
    },
  };
}

function newDigest(algorithm: Algorithm): Digest {
  switch (algorithm) {
    case "CRC32":
      return newCrc32();
    case "CRC32C":
      return Crc.crc32c();
    case "CRC64NVME":
      return Crc.crc64nvme();
    default:
      return createHash(algorithm);
  }
}

function newCrc32(): Digest {
  let value = 0;
  return {
    update(bytes) {
      value = crc32(bytes, value);
    },
    digest() {
      const digest = new DataView(new ArrayBuffer(4));
      digest.setUint32(0, value);
      return new Uint8Array(digest.buffer);
    },
  };
}

function compare(algorithm: Algorithm, found: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(found, expected) === 0) return;
  const [is, said] = [found, expected].map((bytes) => Buffer.from(bytes).toString("hex"));
  throw new Error(`the object's ${algorithm} is ${is}, its store says ${said}`);
}
