// How far two lists of numbers are apart.

/** The largest difference, relative for values beyond one; infinite when lengths differ or a value is no number. */
export function largestDifference(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < left.length; i += 1) {
    const [a, b] = [left[i] ?? Number.NaN, right[i] ?? Number.NaN];
    const difference = Math.abs(a - b) / Math.max(1, Math.abs(a));
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  }
  return largest;
}
