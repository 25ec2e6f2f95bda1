// Everything a keep holds. It is in memory alone and dies with the process.
import type { Attester } from "@holdfast/attester";
import type { Clock } from "@holdfast/core";
import type { Policy } from "@holdfast/policy";
import { FileStore } from "@holdfast/wasi";
import type { AttestedKeep } from "../boot/attest-keep.ts";
import type { Log } from "../log.ts";
import { Consent } from "./consent.ts";
import { HashThread } from "./hash-thread.ts";
import { Inputs } from "./inputs.ts";
import type { RunStarter } from "./lazy-runner.ts";
import { MemoryBudget, storageBytesOf } from "./memory-budget.ts";
import { Programs } from "./programs.ts";
import { ReadCounts } from "./read-counts.ts";
import { RunBook } from "./run-book.ts";
import { Uploads } from "./uploads.ts";

/** What a keep is made of. */
export interface KeepDeps {
  readonly policy: Policy;
  /** Lower-case hexadecimal. */
  readonly policyHash: string;
  readonly attested: AttestedKeep;
  readonly device: Attester;
  readonly runner: RunStarter;
  readonly clock: Clock;
  readonly log: Log;
}

/** A keep's state; use cases read and change it. */
export interface KeepState {
  readonly policy: Policy;
  readonly policyHash: string;
  readonly device: Attester;
  readonly runner: RunStarter;
  readonly clock: Clock;
  readonly log: Log;
  readonly startedAt: Date;
  readonly store: FileStore;
  /** SHA-256 of stored files by path, lower-case hexadecimal, as far as they are known. */
  readonly digests: Map<string, string>;
  readonly hashing: HashThread;
  readonly programs: Programs;
  readonly runs: RunBook;
  readonly memory: MemoryBudget;
  readonly uploads: Uploads;
  readonly consent: Consent;
  readonly inputs: Inputs;
  readonly reads: ReadCounts;
  /** What the next run reads from stdin. */
  stdin: Uint8Array;
  /** The key and certificate in use; renewed before they end. */
  attested: AttestedKeep;
  /** Requests for evidence under way; the platform answers one at a time. */
  evidenceWaiting: number;
  /** Set once the keep is to end. */
  ending: boolean;
  /** Ends the keep. */
  end(reason: string): void;
}

/** The state of a keep that was just started. */
export function newKeepState(deps: KeepDeps, end: (reason: string) => void): KeepState {
  const { policy, policyHash, clock } = deps;
  return {
    ...deps,
    startedAt: clock.now(),
    store: new FileStore({
      maximumBytes: storageBytesOf(policy),
      ...(policy.enableClock ? { clock } : {}),
    }),
    digests: new Map(),
    hashing: new HashThread(),
    programs: new Programs(deps.runner, policy.maxMemoryMib),
    runs: new RunBook(),
    memory: new MemoryBudget(policy),
    uploads: new Uploads(clock),
    consent: new Consent(policy, policyHash),
    inputs: new Inputs(policy.terms.inputs),
    reads: new ReadCounts(policy),
    stdin: new Uint8Array(),
    evidenceWaiting: 0,
    ending: false,
    end,
  };
}
