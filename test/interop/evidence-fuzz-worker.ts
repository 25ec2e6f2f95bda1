// Fuzzes one reader after another, each for its share of the time, in a thread whose memory is bounded: bytes of real and
// made samples, mutated. Posts what was run and what went wrong.
import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { HoldfastError, webCrypto } from "../../packages/core/src/index.ts";
import { readEndorsements, verifyEvidence } from "../../packages/evidence/src/index.ts";
import { fuzzCorpus } from "./evidence-fuzz-corpus.ts";
import { LATER, READERS, type Reader } from "./evidence-fuzz-parsers.ts";
import { IN_ORDER, PLANTED } from "./evidence-fuzz-planted.ts";

/** What the thread is told. */
export interface FuzzTask {
  readonly seed: number;
  readonly seconds: number;
  /** A planted reader to fuzz, in place of ours. */
  readonly planted?: string;
  /** Counts inputs, for who watches. */
  readonly progress: Int32Array;
}

/** What it tells of one reader. */
export interface FuzzResult {
  readonly reader: string;
  readonly runs: number;
  /** Samples of the corpus that the reader reads as they are. */
  readonly readable: number;
  /** Milliseconds of processor time of the slowest input. */
  readonly slowest: number;
  readonly failure: string | undefined;
}

type Verify = (bytes: Uint8Array) => Promise<unknown>;

const { seed, seconds, planted, progress } = workerData as FuzzTask;
const corpus = planted === undefined ? await fuzzCorpus() : [new Uint8Array(64)];
const targets: [string, Verify][] =
  planted === undefined
    ? [...soon(READERS), ...Object.entries(LATER), ["evidence judged", judge]]
    : soon({ ...PLANTED, ...IN_ORDER }).filter(([name]) => name === planted);

for (const [reader, run] of targets) {
  parentPort?.postMessage(reader);
  const accepted = [];
  for (const bytes of corpus) if (await reads(run, bytes)) accepted.push(bytes);
  parentPort?.postMessage(await fuzz(reader, run, accepted));
}

function soon(readers: Readonly<Record<string, Reader>>): [string, Verify][] {
  return Object.entries(readers).map(([name, read]) => [name, async (bytes) => read(bytes)]);
}

/** Any input whatever: judged without a throw. */
async function judge(bytes: Uint8Array): Promise<void> {
  const endorsements = corpus.slice(0, 40).flatMap((each, index) => {
    const file = { name: String(index), bytes: each };
    return readable(() => readEndorsements([file])) ? [file] : [];
  });
  const at = new Date("2026-06-01T00:00:00Z");
  const request = { at, crypto: webCrypto, endorsements: readEndorsements(endorsements) };
  const { checks } = await verifyEvidence(bytes, request);
  if (checks.length === 0) throw new Error("a verdict without checks");
}

function readable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (thrown) {
    if (thrown instanceof HoldfastError) return false;
    throw thrown;
  }
}

async function reads(run: Verify, bytes: Uint8Array): Promise<boolean> {
  try {
    await run(bytes);
    return true;
  } catch (thrown) {
    if (thrown instanceof HoldfastError) return false;
    throw thrown;
  }
}

async function fuzz(
  reader: string,
  run: Verify,
  accepted: readonly Uint8Array[],
): Promise<FuzzResult> {
  let slowest = 0;
  const property = fc.asyncProperty(inputs(accepted), async (bytes) => {
    Atomics.add(progress, 0, 1);
    const start = process.threadCpuUsage();
    await reads(run, bytes);
    const { user, system } = process.threadCpuUsage(start);
    slowest = Math.max(slowest, (user + system) / 1000);
  });
  const { numRuns, failed, counterexample, errorInstance } = await fc.check(property, {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: (seconds * 1000) / targets.length,
    markInterruptAsFailure: false,
  });
  const [bytes = new Uint8Array()] = counterexample ?? [];
  const shown = bytes.toHex();
  const failure = failed ? `${errorInstance} for ${bytes.length} bytes ${shown}` : undefined;
  return { reader, runs: numRuns, readable: accepted.length, slowest, failure };
}

/** Mutated samples, those that the reader reads before any others; and bytes without any form. */
function inputs(accepted: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const any = mutated(corpus);
  const own = accepted.length === 0 ? any : mutated(accepted);
  return fc.oneof(
    { arbitrary: own, weight: 8 },
    { arbitrary: any, weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 300 }), weight: 1 },
  );
}

function mutated(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const mutation = fc.record({
    kind: fc.constantFrom("set", "flip", "insert", "remove", "repeat", "extreme", "splice", "cut"),
    at: fc.nat(1 << 20),
    value: fc.nat(255),
    length: fc.integer({ min: 1, max: 64 }),
    other: fc.nat(samples.length - 1),
  });
  type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;
  const apply = (bytes: Uint8Array, { kind, at: place, value, length, other }: Mutation) => {
    const at = place % (bytes.length + 1);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (kind) {
      case "set":
        return joined(head, [value], tail.subarray(1));
      case "flip":
        return joined(head, [(tail[0] ?? 0) ^ (1 << (value & 7))], tail.subarray(1));
      case "insert":
        return joined(head, new Uint8Array(length).fill(value), tail);
      case "remove":
        return joined(head, tail.subarray(length));
      case "repeat":
        return joined(head, tail.subarray(0, length), tail);
      case "extreme":
        // Lengths and counts as large or as small as they get.
        return joined(
          head,
          new Uint8Array((length % 8) + 1).fill(value & 1 ? 0xff : 0),
          tail.subarray((length % 8) + 1),
        );
      case "splice":
        return joined(head, samples[other]?.subarray(at, at + length * 8) ?? [], tail);
      default:
        return head;
    }
  };
  return fc
    .tuple(fc.nat(samples.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([index, mutations]) => mutations.reduce(apply, samples[index] ?? new Uint8Array()));
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
