// Seconds by stage, read from what the program prints.

/** The stages in order. */
export const STAGES = ["load", "decode", "resize", "predict", "write", "whole"] as const;

/** Seconds of each. `whole` is everything after the network is loaded. */
export type Stages = Readonly<Record<(typeof STAGES)[number], number>>;

const PRINTED: Readonly<Record<(typeof STAGES)[number], RegExp>> = {
  load: /^Arguments loaded and network parsed: ([\d.]+) seconds$/m,
  decode: /^decode time:\s+([\d.]+) sec$/m,
  resize: /^Image normalized and resized: ([\d.]+) seconds$/m,
  predict: /^Prediction duration: ([\d.]+) seconds$/m,
  write: /^Write duration: ([\d.]+) seconds$/m,
  whole: /^Finished decoding: ([\d.]+) seconds$/m,
};

/** What the original demonstration's log shows for one 1920×1080 picture on its machine, by network. */
export const PUBLISHED: Readonly<Record<string, Stages>> = {
  tiny: {
    load: 0.449878,
    decode: 0.098741,
    resize: 0.067714,
    predict: 0.773984,
    write: 0.074901,
    whole: 1.019139,
  },
  full: {
    load: 2.96917,
    decode: 0.0987,
    resize: 0.067985,
    predict: 8.174153,
    write: 0.075309,
    whole: 8.42015,
  },
};

/** The seconds of the first picture of a run. */
export function readStages({ stdout, stderr }: { stdout: string; stderr: string }): Stages {
  const text = `${stdout}\n${stderr}`;
  const entries = STAGES.map((stage) => {
    const [, seconds] = PRINTED[stage].exec(text) ?? [];
    if (seconds === undefined) throw new Error(`the program does not print its ${stage} time`);
    return [stage, Number(seconds)];
  });
  return Object.fromEntries(entries) as Stages;
}
