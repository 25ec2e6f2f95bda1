// SHA-256 of stored files by path, noted when they are committed, so that no file is hashed twice.
import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { type Content, contentViews } from "@holdfast/wasi";

/** Bytes hashed before others get a turn: about five milliseconds. */
const TURN_BYTES = 8 * 1024 * 1024;

/** Digests by normalised path, lower-case hexadecimal. */
export type Digests = Map<string, string>;

/** SHA-256 of a content; a large one is hashed in turns, so that nobody waits for it. */
export async function digestOf(content: Content): Promise<string> {
  const hash = createHash("sha256");
  let since = 0;
  for (const view of contentViews(content)) {
    hash.update(view);
    since += view.length;
    if (since < TURN_BYTES) continue;
    since = 0;
    await breathe();
  }
  return hash.digest("hex");
}
