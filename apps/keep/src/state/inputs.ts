// Files that the keep fetches itself, and how each stands.
import type { PolicyInput } from "@holdfast/policy";

/** How an input stands. */
export type InputState = "waiting" | "fetching" | "ready" | "failed";

/** An input. */
export interface InputRecord {
  readonly input: PolicyInput;
  state: InputState;
  /** Bytes fetched so far. */
  received: number;
  /** Why it failed, or is tried again: a code and a sentence. */
  reason: string | undefined;
}

/** What is told of an input. */
export interface InputStatus {
  readonly path: string;
  readonly state: InputState;
  readonly received: number;
  readonly size: number;
  readonly reason?: string;
}

/** The inputs of a policy. */
export class Inputs {
  readonly records: readonly InputRecord[];

  constructor(inputs: readonly PolicyInput[]) {
    this.records = inputs.map((input) => ({
      input,
      state: "waiting",
      received: 0,
      reason: undefined,
    }));
  }

  /** Whether the keep fetches what is to stand at a normalised path. */
  has(path: string): boolean {
    return this.records.some(({ input }) => input.path === path);
  }

  /** Paths of those that are not there yet. */
  get missing(): string[] {
    return this.records.filter(({ state }) => state !== "ready").map(({ input }) => input.path);
  }

  /** How all of them stand. */
  get status(): InputStatus[] {
    return this.records.map(({ input: { path, size }, state, received, reason }) => ({
      path,
      state,
      received,
      size,
      ...(reason === undefined ? {} : { reason }),
    }));
  }
}
