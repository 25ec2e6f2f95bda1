// Writes a file in several requests. What arrived before a connection broke stays; the file stands when the last
// part is there and the digest of the whole holds.
import type { PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";
import type { CompleteUpload, Upload } from "../state/uploads.ts";
import { edgePath } from "./gate.ts";
import { type CommittedFile, IncomingFile } from "./incoming-file.ts";
import { prepareProgram } from "./prepare-program.ts";
import { demandWritable, type PutRequest } from "./put-file.ts";

/** One more part of an upload. */
export interface UploadPart {
  readonly caller: PolicyIdentity;
  readonly id: string;
  /** Where the sender believes the upload stands. */
  readonly offset: number;
  /** Whether the file is complete after this part. */
  readonly complete: boolean;
  readonly drain: (take: (part: Uint8Array) => void) => Promise<void>;
}

/**
 * Opens an upload.
 * @throws KeepError as `demandWritable`, and REQUEST_LIMIT
 */
export function openUpload(keep: KeepState, request: Omit<PutRequest, "drain">): Upload {
  const path = edgePath(request.path);
  demandWritable(keep, path, request);
  if (path === "stdin") throw new KeepError("FILE_KIND", "stdin is written in one request");
  const { append, digest } = request;
  return keep.uploads.open(
    request.caller,
    { path, append, length: request.length },
    () => new IncomingFile(keep, { path, append, digest }),
  );
}

/** An upload of the caller. @throws KeepError UPLOAD_MISSING */
export function findUpload(
  keep: KeepState,
  caller: PolicyIdentity,
  id: string,
): Upload | CompleteUpload {
  return keep.uploads.get(id, caller);
}

/**
 * Adds a part; with the last one the file stands.
 * @throws KeepError UPLOAD_MISSING, UPLOAD_BUSY, UPLOAD_OFFSET, UPLOAD_LENGTH, and those of a whole write
 */
export async function continueUpload(
  keep: KeepState,
  part: UploadPart,
): Promise<Upload | CommittedFile> {
  const upload = keep.uploads.get(part.id, part.caller);
  if ("result" in upload) return repeatResult(upload, part);
  // Two writers at one offset would mix their bytes.
  if (upload.busy) throw new KeepError("UPLOAD_BUSY", "another request is adding to this upload");
  demandOffset(part.offset, upload.file.received);
  upload.busy = true;
  try {
    await part.drain((bytes) => take(upload, bytes));
    return part.complete ? await finish(keep, upload, part.caller) : upload;
  } catch (thrown) {
    // A break leaves what arrived; a refusal leaves nothing to go on with.
    const isBreak = thrown instanceof KeepError && thrown.code === "REQUEST_INVALID";
    if (!isBreak) keep.uploads.drop(upload);
    throw thrown;
  } finally {
    upload.busy = false;
    upload.lastUsed = keep.clock.now();
  }
}

/** Gives an upload up. @throws KeepError UPLOAD_MISSING */
export function dropUpload(keep: KeepState, caller: PolicyIdentity, id: string): void {
  keep.uploads.drop(keep.uploads.get(id, caller));
}

/** For a sender who never heard that the upload is complete. */
async function repeatResult(
  { received, result }: CompleteUpload,
  { offset, drain }: UploadPart,
): Promise<CommittedFile> {
  demandOffset(offset, received);
  await drain(({ length }) => {
    if (length > 0) throw new KeepError("UPLOAD_LENGTH", "the upload is complete already");
  });
  return result;
}

function demandOffset(offset: number, expected: number): void {
  if (offset === expected) return;
  throw new KeepError("UPLOAD_OFFSET", `the upload stands at ${expected}`, {
    details: { offset: expected },
  });
}

function take({ file, length }: Upload, bytes: Uint8Array): void {
  if (length !== undefined && file.received + bytes.length > length) {
    throw new KeepError("UPLOAD_LENGTH", `more than the ${length} bytes that were announced`);
  }
  file.write(bytes);
}

async function finish(
  keep: KeepState,
  upload: Upload,
  caller: PolicyIdentity,
): Promise<CommittedFile> {
  const { file, length } = upload;
  if (length !== undefined && file.received !== length) {
    throw new KeepError("UPLOAD_LENGTH", `${length} bytes were announced`);
  }
  const committed = await file.commit(() =>
    demandWritable(keep, file.path, { caller, append: file.append, length: undefined }),
  );
  keep.uploads.complete(upload, committed);
  prepareProgram(keep, committed.path);
  return committed;
}
