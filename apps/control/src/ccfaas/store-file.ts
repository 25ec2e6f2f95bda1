// Takes in one file of a function, wherever its bytes come from: checked against the definition's digest and the limits
// while they stream to the blob store. Whatever goes wrong, nothing is left.
import { type StoredFunction, StoreError } from "@holdfast/store";
import type { UploadLimits } from "../config.ts";
import { ControlError } from "../errors.ts";
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
  const { store } = context;
  const { path, kind, sha256 } = file;
  await refuseStored(context, found, file);
  const maximumBytes = maximumOf(context.limits, kind);
  if ((announced ?? 0) > maximumBytes) throw tooLarge(kind, maximumBytes);
  try {
    const added = await store.blobs.put(source, { maximumBytes, sha256 }, (blob) =>
      store.functions.addFile(found.id, { path, kind, ...blob }, timestamp(context)),
    );
    if (added) return;
  } catch (cause) {
    await store.collectBlobs();
    throw refusalOf(cause, found, file, maximumBytes);
  }
  await store.collectBlobs();
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
