// An object of S3 into a keep through the bridge, with its bytes shown as they go.
import {
  type BridgeClient,
  type CopyResource,
  type S3StreamBody,
  ServiceRefusal,
} from "@holdfast/contract";
import { HoldfastError } from "@holdfast/core";
import type { Context } from "../context.ts";

/** How long the bridge is asked to wait for the end before it tells how far it is, in seconds. */
const WAIT_S = 1;

/**
 * Has the bridge copy an object; answers once the keep has all of it.
 * @throws HoldfastError with the bridge's code and reason; nothing is left in the keep then
 */
export async function copyIntoKeep(
  { terminal, interrupted }: Pick<Context, "terminal" | "interrupted">,
  bridge: BridgeClient,
  request: S3StreamBody,
): Promise<void> {
  const progress = terminal.progress(`streaming ${request.s3.filename} into the keep`);
  const signal = interrupted;
  try {
    let copy = await started(bridge, request, signal);
    while (copy?.state === "running") {
      progress.update(copy.bytes, copy.size);
      copy = await bridge.getCopy(copy.id, { wait: WAIT_S, signal }).catch(async (thrown) => {
        if (interrupted.aborted && copy !== undefined) await end(bridge, copy);
        throw thrown;
      });
    }
    if (copy === undefined || copy.state === "done") return;
    throw new HoldfastError(copy.code ?? "SERVICE_ANSWER", copy.reason ?? "the copy was ended");
  } finally {
    progress.end();
  }
}

/** The copy; undefined when a bridge that knows no copies has done it at once. */
async function started(
  bridge: BridgeClient,
  request: S3StreamBody,
  signal: AbortSignal,
): Promise<CopyResource | undefined> {
  try {
    return await bridge.startCopy(request, { signal });
  } catch (thrown) {
    // The original bridge has one route.
    if (!(thrown instanceof ServiceRefusal) || thrown.status !== 404) throw thrown;
    await bridge.copy(request, { signal });
    return undefined;
  }
}

async function end(bridge: BridgeClient, { id }: CopyResource): Promise<void> {
  try {
    await bridge.deleteCopy(id);
  } catch {
    // It ends with the instance at the latest.
  }
}
