// Frees stored bytes that nobody needs any more.
import type { CcfaasParts } from "./context.ts";

/** Frees what nobody needs. What can't be freed now is freed another time: that fails nobody's request. */
export async function collectBlobs({ store, logger }: CcfaasParts): Promise<void> {
  try {
    await store.blobs.collect();
  } catch (thrown) {
    logger.warn({ err: thrown }, "blobs could not be collected");
  }
}
