// Byte ranges (RFC 9110 section 14). One range is served; several, or a unit that is not bytes, are answered with the
// whole, as the specification allows.
import { KeepError } from "../errors.ts";

/** A part of a file: from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const SINGLE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/**
 * The range a header asks for.
 * @returns undefined when the whole is to be answered
 * @throws KeepError FILE_RANGE when the range lies outside the file
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = header === undefined ? null : SINGLE.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    if (length === 0) throw unsatisfiable(size);
    return { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === undefined ? size : Math.min(Number(last) + 1, size);
  // A last position before the first is no range at all: ignored, as the specification says.
  if (last !== undefined && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable(size);
  return { start, end };
}

function unsatisfiable(size: number): KeepError {
  return new KeepError("FILE_RANGE", `the range lies outside the ${size} bytes`, {
    details: { size },
  });
}
