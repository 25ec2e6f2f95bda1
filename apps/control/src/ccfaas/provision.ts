// Loads programs and data into a keep, save what it fetches itself: lower priority first, a few at once within one, each
// streamed from its blob with its digest and taken up again after a break, each recorded when the keep has it whole.
import type { KeepClient } from "@holdfast/contract";
import { fromHex } from "@holdfast/core";
import type { Load, StoredInstance } from "@holdfast/store";
import { inputPathsOf } from "./await-inputs.ts";
import type { CcfaasContext } from "./context.ts";

const AT_ONCE = 4;
/** Each further one at once takes a connection of its own, and so a handshake: less than that is sent sooner than it. */
const BYTES_EACH = 1024 * 1024;

/**
 * Loads what is not loaded yet.
 * @throws ServiceRefusal, ChannelError when the keep refuses or is lost
 */
export async function provision(
  context: CcfaasContext,
  instance: StoredInstance,
  keep: KeepClient,
  signal: AbortSignal,
): Promise<void> {
  const inputs = inputPathsOf(instance);
  const loads = (await context.store.instances.loads(instance.key)).filter(
    ({ loaded, path }) => !loaded && !inputs.has(path),
  );
  for (const priority of new Set(loads.map((load) => load.priority))) {
    const group = loads.filter((load) => load.priority === priority);
    const bytes = group.reduce((sum, { size }) => sum + size, 0);
    const atOnce = Math.min(AT_ONCE, 1 + Math.floor(bytes / BYTES_EACH));
    await eachOf(group, { atOnce, signal }, (load, stop) =>
      loadFile(context, instance, keep, load, stop),
    );
  }
}

async function loadFile(
  { store, logger }: CcfaasContext,
  { id, key }: StoredInstance,
  keep: KeepClient,
  { path, sha256, size }: Load,
  signal: AbortSignal,
): Promise<void> {
  await keep.uploadFile(path, store.blobs.reader(sha256), {
    size,
    sha256: fromHex(sha256),
    signal,
  });
  await store.instances.markLoaded(key, path);
  logger.info({ instance: id, path, size }, "file loaded");
}

/** Does all pieces, a few at once; the first failure stops the others, and is thrown once they have stopped. */
async function eachOf<T>(
  pieces: readonly T[],
  { atOnce, signal }: { atOnce: number; signal: AbortSignal },
  work: (piece: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const waiting = [...pieces];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      if (either.aborted) return;
      try {
        await work(piece, either);
      } catch (thrown) {
        failures.push(thrown);
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
