// Time as a parameter: nothing in a library reads the clock on its own.

/** Answers the present time. */
export interface Clock {
  now(): Date;
}

/** The machine's clock; composition roots pass it in. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still, for verification at a given time. */
export function fixedClock(time: Date): Clock {
  const at = time.getTime();
  return { now: () => new Date(at) };
}
