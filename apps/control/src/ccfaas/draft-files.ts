// Files of a draft, taken in so that asking again comes to the same: whoever lost the answer sends the file once more, and
// learns how things stand. The file that completed a draft finds no draft any more, but the version that it became.
import { createHash } from "node:crypto";
import type { FetchBody } from "@holdfast/contract";
import type { FunctionFileRecord, StoredFunction, StoredRevision } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { CcfaasContext } from "./context.ts";
import { fetchFile, fileAt } from "./fetch-file.ts";
import { type DefinedFile, definitionOf, findDefined } from "./function-files.ts";
import { findFunction } from "./register-function.ts";
import { exists, type FileTarget, takeFile } from "./store-file.ts";

/** A file's bytes as they come, and how many the sender announced. */
export interface IncomingFile {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly announced: number | undefined;
}

/**
 * The draft of a function.
 * @throws ControlError DRAFT_NOT_FOUND
 */
export async function findDraft(
  { store }: CcfaasContext,
  { name, draft }: StoredFunction,
): Promise<StoredRevision> {
  const found = draft === undefined ? undefined : await store.functions.revision(draft);
  if (found === undefined) throw noDraft(name);
  return found;
}

/** What is said of a function without a draft. */
export function noDraft(name: string): ControlError {
  const text = `function ${name} has no draft; one whose files are all there is a version`;
  return new ControlError(404, "DRAFT_NOT_FOUND", text);
}

/**
 * Stores a file of a draft; one that is there already must be the same.
 * @returns how the draft stands, or the version that it became
 * @throws PolicyError for a path that is none; ControlError DRAFT_NOT_FOUND, FILE_NOT_IN_FUNCTION, FILE_EXISTS when other
 *   bytes come for what is stored, FUNCTION_CHANGED, and those of `takeFile`
 */
export async function putDraftFile(
  context: CcfaasContext,
  name: string,
  path: string,
  { bytes, announced }: IncomingFile,
): Promise<StoredRevision> {
  const { target, file, stored, isOver } = await locate(context, name, path);
  if (stored === undefined) {
    await takeFile(context, target, file, bytes, announced).catch(unlessStored);
    return await afterFile(context, target);
  }
  if (await isSame(stored, bytes, announced)) return target.revision;
  throw isOver ? noDraft(name) : exists(file.kind, file.path, name);
}

/**
 * Has a file of a draft fetched, unless it is there already.
 * @returns how the draft stands, or the version that it became
 * @throws those of `fetchFile`; ControlError DRAFT_NOT_FOUND, FUNCTION_CHANGED
 */
export async function fetchDraftFile(
  context: CcfaasContext,
  name: string,
  body: FetchBody,
  signal: AbortSignal,
): Promise<StoredRevision> {
  const { target, stored } = await locate(context, name, body.path);
  if (stored !== undefined) return target.revision;
  await fetchFile(context, target, body, signal).catch(unlessStored);
  return await afterFile(context, target);
}

interface Located {
  readonly target: FileTarget;
  readonly file: DefinedFile;
  readonly stored: FunctionFileRecord | undefined;
  /** There is no draft any more: the target is the version that the function's name means. */
  readonly isOver: boolean;
}

async function locate(context: CcfaasContext, name: string, path: string): Promise<Located> {
  const { functions } = context.store;
  const found = await findFunction(context, name);
  const isOver = found.draft === undefined;
  if (isOver && !isFileOfVersion(found.head, path)) throw noDraft(name);
  const target = { name, revision: isOver ? found.head : await findDraft(context, found) };
  const file = fileAt(target, path);
  const files = await functions.files(target.revision.id);
  return { target, file, stored: files.find((each) => each.path === file.path), isOver };
}

function isFileOfVersion(head: StoredRevision, path: string): boolean {
  if (head.version === undefined) return false;
  const definition = definitionOf(head);
  return (["program", "data_file"] as const).some((kind) => findDefined(definition, kind, path));
}

/** Somebody was faster with the very file, whose digest had been checked by then. */
function unlessStored(thrown: unknown): void {
  if (!(thrown instanceof ControlError) || thrown.code !== "FILE_EXISTS") throw thrown;
}

async function isSame(
  { size, sha256 }: FunctionFileRecord,
  bytes: AsyncIterable<Uint8Array>,
  announced = size,
): Promise<boolean> {
  if (announced !== size) return false;
  const hash = createHash("sha256");
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > size) return false;
    hash.update(part);
  }
  return hash.digest("hex") === sha256;
}

/** How a draft stands once a file was stored: one of content that was a version before is that version now. */
async function afterFile(
  { store: { functions } }: CcfaasContext,
  { name, revision: { id, digest, functionId } }: FileTarget,
): Promise<StoredRevision> {
  const found = (await functions.revision(id)) ?? (await functions.findVersion(functionId, digest));
  if (found !== undefined) return found;
  const text = `the draft of function ${name} was replaced meanwhile`;
  throw new ControlError(409, "FUNCTION_CHANGED", text);
}
