// POST /v1/functions/N/fetch: a file of a function comes from where it is instead of being uploaded. What a function of the
// namespace has already, under the very digest, is not fetched again.
import type { FetchBody } from "@holdfast/contract";
import { openRemote, SourceError, type SourceErrorCode } from "@holdfast/oci";
import { ControlError } from "../errors.ts";
import type { CcfaasContext } from "./context.ts";
import { type DefinedFile, definitionOf, findDefined } from "./function-files.ts";
import {
  type FileTarget,
  refuseInput,
  refuseStored,
  storeFile,
  storeKnownFile,
} from "./store-file.ts";

/**
 * Fetches a file.
 * @throws PolicyError for a path that is none; ControlError FILE_NOT_IN_FUNCTION, SOURCE_INVALID, SOURCE_NOT_ALLOWED,
 *   SOURCE_FAILED, and those of `storeFile`
 */
export async function fetchFile(
  context: CcfaasContext,
  target: FileTarget,
  { path, source }: FetchBody,
  signal: AbortSignal,
): Promise<void> {
  const file = fileAt(target, path);
  refuseInput(file);
  await refuseStored(context, target, file);
  if (await storeKnownFile(context, target, file)) return;
  try {
    const remote = await openRemote(context.remote, source, file.sha256, signal);
    try {
      await storeFile(context, target, file, remote.bytes, remote.length);
    } finally {
      remote.close();
    }
  } catch (thrown) {
    throw thrown instanceof SourceError ? refusalOf(thrown) : thrown;
  }
}

const STATUS: Readonly<Record<SourceErrorCode, number>> = {
  SOURCE_INVALID: 422,
  SOURCE_NOT_ALLOWED: 403,
  SOURCE_FAILED: 502,
};

function refusalOf(cause: SourceError): ControlError {
  return new ControlError(STATUS[cause.code], cause.code, cause.message, { cause });
}

/**
 * The file, of either kind, that a definition names under a path.
 * @throws PolicyError for a path that is none; ControlError FILE_NOT_IN_FUNCTION
 */
export function fileAt({ name, revision }: FileTarget, path: string): DefinedFile {
  const definition = definitionOf(revision);
  const file =
    findDefined(definition, "program", path) ?? findDefined(definition, "data_file", path);
  if (file !== undefined) return file;
  const text = `${path} does not exist on function ${name}`;
  throw new ControlError(404, "FILE_NOT_IN_FUNCTION", text);
}
