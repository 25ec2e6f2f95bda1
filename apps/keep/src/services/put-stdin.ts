// What runs read from stdin: one small stream that the next write replaces.
import { createHash } from "node:crypto";
import { concat, equalBytes } from "@holdfast/core";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";
import type { CommittedFile } from "./incoming-file.ts";
import type { PutRequest } from "./put-file.ts";

const MAXIMUM_STDIN = 16 * 1024 * 1024;

/**
 * Replaces, or adds to, what the next runs read.
 * @throws KeepError REQUEST_TOO_LARGE, DIGEST_MISMATCH
 */
export async function putStdin(keep: KeepState, request: PutRequest): Promise<CommittedFile> {
  const parts: Uint8Array[] = [];
  let length = request.append ? keep.stdin.length : 0;
  await request.drain((part) => {
    length += part.length;
    if (length > MAXIMUM_STDIN) {
      throw new KeepError("REQUEST_TOO_LARGE", `stdin holds ${MAXIMUM_STDIN} bytes at most`);
    }
    parts.push(Uint8Array.from(part));
  });
  const sent = concat(...parts);
  const digest = new Uint8Array(createHash("sha256").update(sent).digest());
  if (request.digest !== undefined && !equalBytes(digest, request.digest)) {
    throw new KeepError("DIGEST_MISMATCH", "what arrived does not have the digest that was sent");
  }
  keep.stdin = request.append ? concat(keep.stdin, sent) : sent;
  return { path: "stdin", size: keep.stdin.length };
}
