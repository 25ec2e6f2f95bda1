// Takes in one file of a function, wherever its bytes come from: checked against the definition's digest and the limits
// while they stream to the blob store. Whatever goes wrong, nothing is left.
import {
  type Blob,
  type FileOutcome,
  overQuota,
  type StoredRevision,
  StoreError,
} from "@holdfast/store";
import type { UploadLimits } from "../config.ts";
import { ControlError } from "../errors.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import type { DefinedFile, FileKind } from "./function-files.ts";
import { findFunction } from "./register-function.ts";

/** Which revision of a function a file is for. */
export interface FileTarget {
  /** The function's. */
  readonly name: string;
  readonly revision: StoredRevision;
}

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
 * @throws ControlError FILE_EXISTS, FILE_IS_INPUT, FILE_TOO_LARGE, FILE_HASH_MISMATCH, FUNCTION_NOT_FOUND,
 *   FUNCTION_CHANGED; StoreError STORE_QUOTA; what the source throws
 */
export async function storeFile(
  context: CcfaasContext,
  target: FileTarget,
  file: DefinedFile,
  source: AsyncIterable<Uint8Array>,
  announced?: number,
): Promise<void> {
  await refuseStored(context, target, file);
  await takeFile(context, target, file, source, announced);
}

/**
 * Stores a file that is not stored yet, as far as is known. When another request stores it meanwhile it is FILE_EXISTS, but
 * only once these bytes proved to be the same.
 * @throws those of `storeFile`
 */
export async function takeFile(
  context: CcfaasContext,
  target: FileTarget,
  file: DefinedFile,
  source: AsyncIterable<Uint8Array>,
  announced?: number,
): Promise<void> {
  refuseInput(file);
  const { sha256, kind } = file;
  const maximumBytes = maximumOf(context.limits, kind);
  if ((announced ?? 0) > maximumBytes) throw tooLarge(kind, maximumBytes);
  if (announced !== undefined) await refuseOverQuota(context, sha256, announced);
  await recorded(context, target, file, (link) =>
    context.store.blobs.put(source, { maximumBytes, sha256 }, link),
  );
}

/** What can't be kept is refused before it is sent; whether it can is decided when it is there. */
async function refuseOverQuota(
  { store: { namespaces }, namespace }: CcfaasContext,
  sha256: string,
  asked: number,
): Promise<void> {
  const limit = (await namespaces.find(namespace))?.quotas.bytes;
  if (limit === undefined || (await namespaces.hasContent(namespace, sha256))) return;
  const { bytes: used } = await namespaces.usage(namespace);
  if (used + asked > limit) throw overQuota({ namespace, quota: "bytes", limit, used, asked });
}

/**
 * Stores a file whose bytes a function of the same namespace has already: nobody gets at the bytes of another namespace
 * by knowing their digest.
 * @returns false when none has them
 * @throws ControlError FILE_EXISTS, FILE_TOO_LARGE, FUNCTION_NOT_FOUND, FUNCTION_CHANGED; StoreError STORE_QUOTA
 */
export async function storeKnownFile(
  context: CcfaasContext,
  target: FileTarget,
  file: DefinedFile,
): Promise<boolean> {
  const { store, namespace } = context;
  if (!(await store.namespaces.hasContent(namespace, file.sha256))) return false;
  let isKnown = true;
  await recorded(context, target, file, async (link) => {
    const reused = await store.blobs.reuse(file.sha256, link);
    isKnown = reused !== undefined;
    return reused?.linked ?? "stored";
  });
  return isKnown;
}

/** Has the blob store hold the bytes while it is recorded that the function has them. */
async function recorded(
  context: CcfaasContext,
  target: FileTarget,
  file: DefinedFile,
  store: (link: (blob: Blob) => Promise<FileOutcome>) => Promise<FileOutcome>,
): Promise<void> {
  const { path, kind } = file;
  const maximum = maximumOf(context.limits, kind);
  try {
    const outcome = await store((blob) => {
      if (blob.size > maximum) throw tooLarge(kind, maximum);
      const record = { path, kind, ...blob };
      return context.store.functions.addFile(target.revision.id, record, timestamp(context));
    });
    if (outcome !== "gone") return;
  } catch (cause) {
    await collectBlobs(context);
    throw refusalOf(cause, target, file, maximum);
  }
  await collectBlobs(context);
  await findFunction(context, target.name);
  const text = `the definition of function ${target.name} was replaced while ${path} was coming`;
  throw new ControlError(409, "FUNCTION_CHANGED", text);
}

/** What keeps fetch themselves has no place here. @throws ControlError FILE_IS_INPUT */
export function refuseInput({ path, input }: DefinedFile): void {
  if (input === undefined) return;
  const text = `keeps fetch ${path} themselves, from ${input.source}; it is not uploaded`;
  throw new ControlError(409, "FILE_IS_INPUT", text);
}

/** @throws ControlError FILE_EXISTS */
export async function refuseStored(
  { store }: CcfaasContext,
  target: FileTarget,
  { path, kind }: DefinedFile,
): Promise<void> {
  const stored = await store.functions.files(target.revision.id);
  if (stored.some((each) => each.path === path)) throw exists(kind, path, target.name);
}

function refusalOf(
  cause: unknown,
  target: FileTarget,
  { path, kind, sha256 }: DefinedFile,
  maximum: number,
): unknown {
  if (!(cause instanceof StoreError)) return cause;
  if (cause.code === "BLOB_TOO_LARGE") return tooLarge(kind, maximum);
  if (cause.code === "STORE_CONFLICT") return exists(kind, path, target.name);
  if (cause.code === "BLOB_UNREACHABLE" || cause.code === "BLOB_BUSY") {
    return new ControlError(503, "BLOBS_UNREACHABLE", cause.message, { cause });
  }
  if (cause.code !== "BLOB_MISMATCH") return cause;
  return new ControlError(
    422,
    "FILE_HASH_MISMATCH",
    `${NOUNS[kind]} ${path} for function ${target.name} hash ${cause.details["sha256"]} does not match function description ${sha256}`,
    { cause },
  );
}

/** What is said of a file that is stored already. */
export function exists(kind: FileKind, path: string, name: string): ControlError {
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
