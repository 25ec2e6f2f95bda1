// One input on its way in: counted, hashed and opened as it comes, straight into the pieces of memory that will be the file.
// Nothing of it is seen before its size, both digests and the seal's tag hold.
import { createHash } from "node:crypto";
import { openSealed, SEALED_OVERHEAD } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import type { PolicyInput } from "@holdfast/policy";
import type { InputSource } from "../boot/input-source.ts";
import { InputError, KeepError } from "../errors.ts";
import type { InputRecord } from "../state/inputs.ts";
import type { KeepState } from "../state/keep-state.ts";
import { demandConsent } from "./gate.ts";
import { IncomingFile } from "./incoming-file.ts";
import { prepareProgram } from "./prepare-program.ts";

const WINDOW_MS = 20_000;
/** In each window. */
const LEAST_BYTES = 8 * 1024;

/** What receiving takes beside the source. */
export interface ReceiveOptions {
  /** Opens the bytes; absent when they are the file itself. */
  readonly key: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/**
 * Receives an input from its first byte to its last.
 * @throws InputError INPUT_SOURCE_FAILED, INPUT_SOURCE_REFUSED, INPUT_MISMATCH; SealError SEAL_INVALID; KeepError
 *   FILE_PIN_MISMATCH, STORAGE_FULL, KEEP_ENDING, and those of `demandConsent`; then nothing of it remains
 */
export async function receiveInput(
  keep: KeepState,
  source: InputSource,
  record: InputRecord,
  { key, signal }: ReceiveOptions,
): Promise<void> {
  const { input } = record;
  demandRoom(keep, input);
  const file = new IncomingFile(keep, { path: input.path, append: false, digest: undefined });
  const take = (plain: Uint8Array): void => file.write(plain);
  const sealed = key === undefined ? undefined : openSealed({ key, size: input.size, take });
  const hash = createHash("sha256");
  const keepPace = paceOf(keep.clock);
  record.received = 0;
  try {
    for await (const part of source.bytes(input)) {
      if (signal.aborted) throw new KeepError("KEEP_ENDING", "the keep is shutting down");
      record.received += part.length;
      if (record.received > input.size) throw mismatch(`more than ${input.size} bytes came`);
      keepPace(part.length);
      hash.update(part);
      if (sealed === undefined) take(part);
      else sealed.write(part);
    }
    const { received } = record;
    if (received < input.size) throw mismatch(`${received} of ${input.size} bytes came`);
    if (hash.digest("hex") !== input.sha256) throw mismatch("what came has another digest");
    sealed?.end();
    await file.commit(() => demandConsent(keep));
    prepareProgram(keep, input.path);
  } finally {
    file.abort();
  }
}

/** What can't be kept is not fetched. */
function demandRoom({ store }: KeepState, { size, key }: PolicyInput): void {
  const bytes = key === undefined ? size : size - SEALED_OVERHEAD;
  if (bytes <= store.maximumBytes) return;
  throw new KeepError("STORAGE_FULL", `the keep holds ${store.maximumBytes} bytes in all`);
}

/** As for those who upload: nobody holds room in the keep by sending almost nothing. */
function paceOf(clock: Clock): (bytes: number) => void {
  let since = clock.now().getTime();
  let moved = 0;
  return (bytes) => {
    moved += bytes;
    const now = clock.now().getTime();
    if (now - since < WINDOW_MS) return;
    if (moved < LEAST_BYTES) throw new InputError("INPUT_SOURCE_FAILED", "it comes too slowly");
    since = now;
    moved = 0;
  };
}

function mismatch(message: string): InputError {
  return new InputError("INPUT_MISMATCH", message);
}
