// Measures several ways to do a thing, in turns, so that whatever else the machine does falls on all of them alike.
import { median } from "../keep/statistics.ts";

/** A way to do it. */
export interface Subject {
  readonly name: string;
  readonly run: (index: number) => Promise<void> | void;
}

/** What was measured of a subject; milliseconds each, medians over the rounds. */
export interface Measured {
  readonly name: string;
  /** Of the process's processor time: other processes do not count. */
  readonly cpu: number;
  readonly wall: number;
  /** How many times the first subject's processor time: the median over the rounds, each within itself. */
  readonly ratio: number;
}

/** Measures subjects over rounds of so many runs each. */
export async function measureInTurns(
  subjects: readonly Subject[],
  { rounds, runs }: { readonly rounds: number; readonly runs: number },
): Promise<Measured[]> {
  const samples = subjects.map(() => [] as { cpu: number; wall: number }[]);
  let index = 0;
  // The first round warms up and is thrown away.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [which, { run }] of subjects.entries()) {
      const [cpu, wall] = [process.cpuUsage(), performance.now()];
      for (let done = 0; done < runs; done += 1) await run(index++);
      const { user, system } = process.cpuUsage(cpu);
      const sample = {
        cpu: (user + system) / 1000 / runs,
        wall: (performance.now() - wall) / runs,
      };
      if (round > 0) samples[which]?.push(sample);
    }
  }
  const [first = []] = samples;
  return subjects.map(({ name }, which) => {
    const own = samples[which] ?? [];
    return {
      name,
      cpu: median(own.map(({ cpu }) => cpu)),
      wall: median(own.map(({ wall }) => wall)),
      ratio: median(own.map(({ cpu }, round) => cpu / (first[round]?.cpu ?? Number.NaN))),
    };
  });
}
