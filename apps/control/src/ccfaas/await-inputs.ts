// Waits for what a keep fetches itself. The keep tells how its inputs stand; each is recorded when it is there, and one that
// failed for good is the end of the instance, with the keep's own reason.
import { setTimeout as sleep } from "node:timers/promises";
import { ChannelError } from "@holdfast/channel";
import type { KeepClient, KeepInput } from "@holdfast/contract";
import { normalizePath } from "@holdfast/policy";
import type { StoredInstance } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { CcfaasContext } from "./context.ts";
import { definedFiles, definitionOf } from "./function-files.ts";

const POLL_MS = 250;
/** Broken connections one after the other; the keep itself goes on meanwhile. */
const BREAKS = 5;

/** Paths, as the definition spells them, of what the instance's keep fetches itself. */
export function inputPathsOf({
  functionDefinition: definition,
}: Pick<StoredInstance, "functionDefinition">): ReadonlySet<string> {
  const files = definedFiles(definitionOf({ definition }));
  return new Set(files.filter(({ input }) => input !== undefined).map(({ path }) => path));
}

/**
 * Waits until the keep has all of its inputs.
 * @throws ControlError PROVISIONING_FAILED when one failed; ServiceRefusal, ChannelError when the keep is lost
 */
export async function awaitInputs(
  { store, logger, fetching }: CcfaasContext,
  { id, key, functionDefinition }: StoredInstance,
  keep: KeepClient,
  signal: AbortSignal,
): Promise<void> {
  const inputs = inputPathsOf({ functionDefinition });
  const loads = await store.instances.loads(key);
  const awaited = new Set(
    loads.filter(({ path, loaded }) => inputs.has(path) && !loaded).map(({ path }) => path),
  );
  try {
    while (awaited.size > 0) {
      const told = await statusOf(keep, signal);
      let bytes = 0;
      for (const path of awaited) {
        const { state, received, size, reason } = entryOf(told, path);
        if (state === "failed") throw failed(path, reason);
        if (state !== "ready") {
          bytes += Math.min(received, size);
          continue;
        }
        await store.instances.markLoaded(key, path);
        awaited.delete(path);
        logger.info({ instance: id, path, size }, "input there");
      }
      fetching.set(key, bytes);
      if (awaited.size > 0) await sleep(POLL_MS, undefined, { signal });
    }
  } finally {
    fetching.delete(key);
  }
}

async function statusOf(keep: KeepClient, signal: AbortSignal): Promise<readonly KeepInput[]> {
  for (let breaks = 0; ; breaks += 1) {
    try {
      return (await keep.status()).inputs ?? [];
    } catch (thrown) {
      if (!(thrown instanceof ChannelError) || breaks >= BREAKS) throw thrown;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

function entryOf(told: readonly KeepInput[], path: string): KeepInput {
  const entry = told.find((each) => each.path === normalizePath(path));
  if (entry !== undefined) return entry;
  throw failed(path, "the keep knows of no such input");
}

function failed(path: string, reason = "it does not say why"): ControlError {
  const text = `the keep could not fetch ${path}: ${reason}`;
  return new ControlError(502, "PROVISIONING_FAILED", text);
}
