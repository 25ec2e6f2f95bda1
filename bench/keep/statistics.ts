// What is said of many measurements.

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The value that so many of a hundred stay under. */
export function percentile(values: readonly number[], of100: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return (
    sorted[Math.min(Math.ceil((sorted.length * of100) / 100), sorted.length) - 1] ?? Number.NaN
  );
}
