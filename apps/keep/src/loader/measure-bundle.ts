// What the bundle measures to. The bytes that are measured are the bytes that run: they are read once and handed on.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { messageOf, toHex } from "@holdfast/core";
import { LoaderError } from "./config.ts";

/** A bundle with its measurement. */
export interface MeasuredBundle {
  readonly bytes: Uint8Array;
  /** SHA-384 of the bytes: PCR0. */
  readonly pcr0: Uint8Array;
  /** The first 32 bytes of PCR0, lower-case hexadecimal, as policies name it. */
  readonly measurement: string;
}

const MEASUREMENT_BYTES = 32;

/**
 * Reads and measures a bundle.
 * @throws LoaderError LOADER_BUNDLE when it can't be read
 */
export function measureBundle(path: string): MeasuredBundle {
  try {
    const bytes = readFileSync(path);
    return { bytes, ...measure(bytes) };
  } catch (cause) {
    throw new LoaderError("LOADER_BUNDLE", `bundle can't be read: ${messageOf(cause)}`, { cause });
  }
}

/** PCR0 and measurement of a bundle's bytes. */
export function measure(bytes: Uint8Array): { pcr0: Uint8Array; measurement: string } {
  const pcr0 = createHash("sha384").update(bytes).digest();
  return { pcr0, measurement: measurementOf(pcr0) };
}

/** The measurement that policies name, of PCR0. */
export function measurementOf(pcr0: Uint8Array): string {
  return toHex(pcr0.subarray(0, MEASUREMENT_BYTES));
}
