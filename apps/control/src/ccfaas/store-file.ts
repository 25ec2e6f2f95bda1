// Takes in one file of a function, wherever its bytes come from: checked against the definition's digest and the limits
// while they stream to the blob store. Whatever goes wrong, nothing is left.
import { type Blob, type StoredFunction, StoreError } from "@holdfast/store";
import type { UploadLimits } from "../config.ts";
import { ControlError } from "../errors.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import type { DefinedFile, FileKind } from "./function-files.ts";

/** How the original services name the kinds of files in their sentences. */
export const NOUNS: Readonly<Record<FileKind, string>> = {
  program: "programn",
  data_file: "data_file",
};

/** How large a file of a kind may be. */
export function maximumOf(limits: UploadLimits, kind: FileKind): number {
  return kind === "program" ? limits.programBytes : limits.dataFileBytes;
}

/**
 * Stores a file.
 * @param announced its length, when the sender says so: too large a one is then refused before a byte is read
 * @throws ControlError FILE_EXISTS, FILE_TOO_LARGE, FILE_HASH_MISMATCH, FUNCTION_NOT_FOUND; what the source throws
 */
export async function storeFile(
  context: CcfaasContext,
  found: StoredFunction,
  file: DefinedFile,
  source: AsyncIterable<Uint8Array>,
  announced?: number,
): Promise<void> {
  await refuseStored(context, found, file);
  const maximumBytes = maximumOf(context.limits, file.kind);
  if ((announced ?? 0) > maximumBytes) throw tooLarge(file.kind, maximumBytes);
  const { sha256 } = file;
  await recorded(context, found, file, (link) =>
    context.store.blobs.put(source, { maximumBytes, sha256 }, link),
  );
}

/**
 * Stores a file whose bytes the blob store has already.
 * @returns false when it does not have them
 * @throws ControlError FILE_EXISTS, FILE_TOO_LARGE, FUNCTION_NOT_FOUND
 */
export async function storeKnownFile(
  context: CcfaasContext,
  found: StoredFunction,
  file: DefinedFile,
): Promise<boolean> {
  let isKnown = true;
  await recorded(context, found, file, async (link) => {
    const reused = await context.store.blobs.reuse(file.sha256, link);
    isKnown = reused !== undefined;
    return reused?.linked ?? true;
  });
  return isKnown;
}

/** Has the blob store hold the bytes while it is recorded that the function has them. */
async function recorded(
  context: CcfaasContext,
  found: StoredFunction,
  file: DefinedFile,
  store: (link: (blob: Blob) => Promise<boolean>) => Promise<boolean>,
): Promise<void> {
  const { path, kind } = file;
  const maximum = maximumOf(context.limits, kind);
  try {
    const added = await store((blob) => {
      if (blob.size > maximum) throw tooLarge(kind, maximum);
      return context.store.functions.addFile(found.id, { path, kind, ...blob }, timestamp(context));
    });
    if (added) return;
  } catch (cause) {
    await collectBlobs(context);
    throw refusalOf(cause, found, file, maximum);
  }
  await collectBlobs(context);
  throw new ControlError(404, "FUNCTION_NOT_FOUND", `function ${found.name} not found`);
}

/** @throws ControlError FILE_EXISTS */
export async function refuseStored(
  { store }: CcfaasContext,
  found: StoredFunction,
  { path, kind }: DefinedFile,
): Promise<void> {
  const stored = await store.functions.files(found.id);
  if (stored.some((each) => each.path === path)) throw exists(kind, path, found.name);
}

function refusalOf(
  cause: unknown,
  found: StoredFunction,
  { path, kind, sha256 }: DefinedFile,
  maximum: number,
): unknown {
  if (!(cause instanceof StoreError)) return cause;
  if (cause.code === "BLOB_TOO_LARGE") return tooLarge(kind, maximum);
  if (cause.code === "STORE_CONFLICT") return exists(kind, path, found.name);
  if (cause.code === "BLOB_UNREACHABLE" || cause.code === "BLOB_BUSY") {
    return new ControlError(503, "BLOBS_UNREACHABLE", cause.message, { cause });
  }
  if (cause.code !== "BLOB_MISMATCH") return cause;
  return new ControlError(
    422,
    "FILE_HASH_MISMATCH",
    `${NOUNS[kind]} ${path} for function ${found.name} hash ${cause.details["sha256"]} does not match function description ${sha256}`,
    { cause },
  );
}

function exists(kind: FileKind, path: string, name: string): ControlError {
  const text = `${NOUNS[kind]} ${path} for function ${name} already exists`;
  return new ControlError(409, "FILE_EXISTS", text);
}

function tooLarge(kind: FileKind, maximum: number): ControlError {
  return new ControlError(
    413,
    "FILE_TOO_LARGE",
    `a ${NOUNS[kind]} may have ${maximum} bytes at most`,
  );
}
