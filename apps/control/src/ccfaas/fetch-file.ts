// POST /v1/functions/N/fetch: a file of a function comes from where it is instead of being uploaded. What is in the blob
// store already, under the very digest, is not fetched again.
import type { FetchBody } from "@holdfast/contract";
import type { StoredFunction } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { CcfaasContext } from "./context.ts";
import { type DefinedFile, definitionOf, findDefined } from "./function-files.ts";
import { openRemote } from "./remote-source.ts";
import { refuseStored, storeFile, storeKnownFile } from "./store-file.ts";

/**
 * Fetches a file.
 * @throws PolicyError for a path that is none; ControlError FILE_NOT_IN_FUNCTION, SOURCE_INVALID, SOURCE_NOT_ALLOWED,
 *   SOURCE_FAILED, and those of `storeFile`
 */
export async function fetchFile(
  context: CcfaasContext,
  found: StoredFunction,
  { path, source }: FetchBody,
  signal: AbortSignal,
): Promise<void> {
  const file = fileAt(found, path);
  await refuseStored(context, found, file);
  if (await storeKnownFile(context, found, file)) return;
  const { bytes, length } = await openRemote(context.remote, source, file.sha256, signal);
  await storeFile(context, found, file, bytes, length);
}

function fileAt(found: StoredFunction, path: string): DefinedFile {
  const definition = definitionOf(found);
  const file =
    findDefined(definition, "program", path) ?? findDefined(definition, "data_file", path);
  if (file !== undefined) return file;
  const text = `${path} does not exist on function ${found.name}`;
  throw new ControlError(404, "FILE_NOT_IN_FUNCTION", text);
}
