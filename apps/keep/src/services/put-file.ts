// Writes or appends to a file in one request.
import { isStream, mayAppend, mayWrite, type PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";
import { demandConsent, demandRight, edgePath } from "./gate.ts";
import { type CommittedFile, IncomingFile } from "./incoming-file.ts";
import { prepareProgram } from "./prepare-program.ts";
import { putStdin } from "./put-stdin.ts";

/** What is to be written. */
export interface PutRequest {
  readonly caller: PolicyIdentity;
  /** As the caller wrote it. */
  readonly path: string;
  readonly append: boolean;
  /** Length in bytes, when the sender says it. */
  readonly length: number | undefined;
  readonly digest: Uint8Array | undefined;
  /** Hands over each part as it arrives. */
  readonly drain: (take: (part: Uint8Array) => void) => Promise<void>;
}

/** Writes a file; nothing of it is seen before it is complete and as it should be. */
export async function putFile(keep: KeepState, request: PutRequest): Promise<CommittedFile> {
  const path = edgePath(request.path);
  demandWritable(keep, path, request);
  if (path === "stdin") return putStdin(keep, request);
  const file = new IncomingFile(keep, { path, append: request.append, digest: request.digest });
  try {
    await request.drain((part) => file.write(part));
    const committed = await file.commit(() =>
      demandWritable(keep, path, { ...request, length: undefined }),
    );
    prepareProgram(keep, path);
    return committed;
  } finally {
    file.abort();
  }
}

/**
 * Whether the caller may write that path now.
 * @throws KeepError RIGHTS_MISSING, INPUT_FETCHED, FILE_PINNED, FILE_KIND, STORAGE_FULL and those of `demandConsent`
 */
export function demandWritable(
  keep: KeepState,
  path: string,
  request: Pick<PutRequest, "caller" | "append" | "length">,
): void {
  demandConsent(keep);
  const stat = isStream(path) ? undefined : keep.store.stat(path);
  const exists = isStream(path) || stat !== undefined;
  const may = request.append ? mayAppend : mayWrite;
  demandRight(may(request.caller.rights, path, { exists }), path);
  if (keep.inputs.has(path)) {
    throw new KeepError("INPUT_FETCHED", `the keep fetches ${path} itself`);
  }
  if (path === "stdout" || path === "stderr" || path === "/") {
    throw new KeepError("FILE_KIND", `${path} can't be written`);
  }
  if (stat !== undefined && stat.kind !== "file") {
    throw new KeepError("FILE_KIND", `${path} is a ${stat.kind}`);
  }
  if (request.append && keep.policy.fileHashes.has(path)) {
    throw new KeepError("FILE_PINNED", `the policy pins ${path}; it can only be written whole`);
  }
  if (request.length !== undefined && request.length > keep.store.maximumBytes) {
    throw new KeepError("STORAGE_FULL", `the keep holds ${keep.store.maximumBytes} bytes in all`);
  }
}
