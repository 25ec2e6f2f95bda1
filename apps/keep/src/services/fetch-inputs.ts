// Fetches the inputs of the policy, one after the other. What breaks is tried again, so and so often; wrong bytes and a key
// that is refused are final, for nothing would make them right. Whatever happens, the keep stays and tells of it.
import { HoldfastError, messageOf } from "@holdfast/core";
import type { InputSource } from "../boot/input-source.ts";
import type { KeyBroker } from "../boot/key-broker.ts";
import type { InputRecord } from "../state/inputs.ts";
import type { KeepState } from "../state/keep-state.ts";
import { demandConsent } from "./gate.ts";
import { receiveInput } from "./receive-input.ts";

/** Where inputs and their keys come from. */
export interface InputWays {
  readonly source: InputSource;
  readonly keys: KeyBroker;
  readonly patience?: Patience;
}

/** How often what broke is tried again; waits are doubled from the first to the longest. */
export interface Patience {
  readonly attempts: number;
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Ten minutes in all. */
const PATIENCE: Patience = { attempts: 16, firstMs: 500, longestMs: 60_000 };
const MAXIMUM_REASON = 512;
const BREAKS: readonly string[] = ["INPUT_SOURCE_FAILED", "INPUT_KEY_UNREACHABLE"];

/** Fetches all inputs; resolves when each is ready or has failed, or the signal says to stop. */
export async function fetchInputs(
  keep: KeepState,
  ways: InputWays,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([keep.consent.complete, stopped]);
  for (const [index, record] of keep.inputs.records.entries()) {
    if (signal.aborted) return;
    await fetchInput(keep, ways, record, { index, signal });
  }
}

async function fetchInput(
  keep: KeepState,
  ways: InputWays,
  record: InputRecord,
  { index, signal }: { index: number; signal: AbortSignal },
): Promise<void> {
  const again: Again = (step) =>
    persistently(step, ways.patience ?? PATIENCE, {
      signal,
      onBreak(thrown) {
        record.reason = `${reasonOf(thrown)}; it is tried again`;
        keep.log.warn("input-broke", { input: index, code: codeOf(thrown) });
      },
    });
  record.state = "fetching";
  try {
    demandConsent(keep);
    await withKey(ways.keys, record.input.key, again, (key) =>
      again(() => receiveInput(keep, ways.source, record, { key, signal })),
    );
    record.state = "ready";
    record.reason = undefined;
    keep.log.info("input-ready", { input: index, bytes: record.received });
  } catch (thrown) {
    record.state = "failed";
    record.reason = reasonOf(thrown);
    keep.log.warn("input-failed", { input: index, code: codeOf(thrown) });
  }
}

type Again = <T>(step: () => Promise<T>) => Promise<T>;

/** Lends the key that is needed, and wipes it afterwards. */
async function withKey(
  keys: KeyBroker,
  name: string | undefined,
  again: Again,
  use: (key: Uint8Array | undefined) => Promise<void>,
): Promise<void> {
  const key = name === undefined ? undefined : await again(() => keys.release(name));
  try {
    await use(key);
  } finally {
    key?.fill(0);
  }
}

async function persistently<T>(
  step: () => Promise<T>,
  { attempts, firstMs, longestMs }: Patience,
  { signal, onBreak }: { signal: AbortSignal; onBreak: (thrown: unknown) => void },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (thrown) {
      if (!BREAKS.includes(codeOf(thrown)) || attempt >= attempts || signal.aborted) throw thrown;
      onBreak(thrown);
    }
    await pause(Math.min(firstMs * 2 ** (attempt - 1), longestMs), signal);
  }
}

/** Waits, or less when nobody waits any more. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, milliseconds);
    signal.addEventListener("abort", settle);
    if (signal.aborted) settle();
  });
}

/** For whoever has an identity in the policy. Part of it may be the loader's text, and people will read it. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof HoldfastError)) return "KEEP_INTERNAL: the keep failed to fetch it";
  const text = `${thrown.code}: ${messageOf(thrown)}`;
  return text.slice(0, MAXIMUM_REASON).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "?");
}

function codeOf(thrown: unknown): string {
  return thrown instanceof HoldfastError ? thrown.code : "KEEP_INTERNAL";
}
