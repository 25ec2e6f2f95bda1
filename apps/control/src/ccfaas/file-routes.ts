// The seed's routes of programs and data files. Bodies stream to the blob store while they are hashed; an upload that
// fails, however it fails, leaves nothing.

import type { IncomingMessage } from "node:http";
import { fromBase64, fromBase64Url, fromText, toBase64, toText } from "@holdfast/core";
import { PolicyError } from "@holdfast/policy";
import { type StoredFunction, StoreError } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { sendJson, sendParagraph } from "../http/answers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { drain, incomingBytes } from "../http/upload-body.ts";
import { type CcfaasContext, timestamp } from "./context.ts";
import { type DefinedFile, definitionOf, type FileKind, findDefined } from "./function-files.ts";
import { findFunction } from "./register-function.ts";

const Name = Type.Object({ name: Type.String() });
/** The rest of the path: standard base64 may hold slashes. */
const NameAndFile = Type.Object({ name: Type.String(), "*": Type.String() });

/** Adds the routes of programs and data files. */
export function fileRoutes(app: ServiceApp, context: CcfaasContext): void {
  kindRoutes(app, context, "program", {
    list: "programs",
    noun: "programn",
    loaded: () => "function loaded!",
    maximumBytes: context.limits.programBytes,
  });
  kindRoutes(app, context, "data_file", {
    list: "data_files",
    noun: "data_file",
    loaded: (path) => `data_file ${path} loaded!`,
    maximumBytes: context.limits.dataFileBytes,
  });
}

/** How the original services speak of a kind of file, and how large one may be. */
interface Words {
  readonly list: string;
  readonly noun: string;
  readonly loaded: (path: string) => string;
  readonly maximumBytes: number;
}

function kindRoutes(app: ServiceApp, context: CcfaasContext, kind: FileKind, words: Words): void {
  const { store } = context;

  app.get(`/function/:name/${kind}`, { schema: { params: Name } }, async ({ params }, reply) => {
    const found = await findFunction(context, params.name);
    const stored = (await store.functions.files(found.id)).filter((file) => file.kind === kind);
    return sendJson(reply, { [words.list]: stored.map(({ path }) => toBase64(fromText(path))) });
  });

  app.get(
    `/function/:name/${kind}/*`,
    { schema: { params: NameAndFile } },
    async ({ params }, reply) => {
      const { found, path } = await locate(context, kind, words, params);
      const isStored = (await store.functions.files(found.id)).some((file) => file.path === path);
      if (!isStored) throw notLoaded(words, path, found.name);
      return sendParagraph(reply, `${words.noun} ${path} is loaded in function ${found.name}`);
    },
  );

  app.delete(
    `/function/:name/${kind}/*`,
    { schema: { params: NameAndFile } },
    async ({ params }, reply) => {
      const { found, path } = await locate(context, kind, words, params);
      if (!(await store.functions.removeFile(found.id, path))) {
        throw notLoaded(words, path, found.name);
      }
      await store.collectBlobs();
      return sendParagraph(reply, `${words.noun} ${path} deleted from function ${found.name}`);
    },
  );

  // Whatever type a client gives: the body is bytes. Only these routes read bodies that way.
  app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    uploads.post<{ Params: { name: string; "*": string } }>(
      `/function/:name/${kind}/*`,
      { schema: { params: NameAndFile } },
      async ({ params, raw }, reply) => {
        try {
          const { found, path, file } = await locate(context, kind, words, params);
          await receive(context, words, found, file, raw);
          return sendParagraph(reply, words.loaded(path));
        } catch (thrown) {
          drain(raw);
          throw thrown;
        }
      },
    );
  });
}

async function receive(
  { store, clock }: CcfaasContext,
  { noun, maximumBytes }: Words,
  found: StoredFunction,
  { path, kind, sha256 }: DefinedFile,
  raw: IncomingMessage,
): Promise<void> {
  const stored = await store.functions.files(found.id);
  if (stored.some((file) => file.path === path)) throw exists(noun, path, found.name);
  if (Number(raw.headers["content-length"] ?? 0) > maximumBytes) throw tooLarge(noun, maximumBytes);
  try {
    const added = await store.blobs.put(incomingBytes(raw), { maximumBytes, sha256 }, (blob) =>
      store.functions.addFile(found.id, { path, kind, ...blob }, timestamp({ clock })),
    );
    if (added) return;
  } catch (cause) {
    await store.collectBlobs();
    if (!(cause instanceof StoreError)) throw cause;
    if (cause.code === "BLOB_TOO_LARGE") throw tooLarge(noun, maximumBytes);
    if (cause.code === "STORE_CONFLICT") throw exists(noun, path, found.name);
    if (cause.code !== "BLOB_MISMATCH") throw cause;
    throw new ControlError(
      422,
      "FILE_HASH_MISMATCH",
      `${noun} ${path} for function ${found.name} hash ${cause.details["sha256"]} does not match function description ${sha256}`,
      { cause },
    );
  }
  await store.collectBlobs();
  throw new ControlError(404, "FUNCTION_NOT_FOUND", `function ${found.name} not found`);
}

/** The function and the file that a path means. */
async function locate(
  context: CcfaasContext,
  kind: FileKind,
  { noun }: Words,
  params: { name: string; "*": string },
): Promise<{ found: StoredFunction; path: string; file: DefinedFile }> {
  const found = await findFunction(context, params.name);
  const given = pathOf(params["*"]);
  try {
    const file = findDefined(definitionOf(found), kind, given);
    if (file !== undefined) return { found, path: file.path, file };
  } catch (thrown) {
    if (!(thrown instanceof PolicyError) || thrown.code === "POLICY_INVALID") throw thrown;
  }
  throw new ControlError(
    404,
    "FILE_NOT_IN_FUNCTION",
    `${noun} ${given} does not exist on function ${found.name}`,
  );
}

/** Names in URLs are base64, of either alphabet. */
function pathOf(name: string): string {
  try {
    const isUrlSafe = !/[+/=]/.test(name);
    return toText(isUrlSafe ? fromBase64Url(name) : fromBase64(name));
  } catch (cause) {
    throw new ControlError(400, "NAME_INVALID", "the file's name in the URL must be base64", {
      cause,
    });
  }
}

function exists(noun: string, path: string, name: string): ControlError {
  return new ControlError(
    409,
    "FILE_EXISTS",
    `${noun} ${path} for function ${name} already exists`,
  );
}

function notLoaded({ noun }: Words, path: string, name: string): ControlError {
  return new ControlError(
    404,
    "FILE_NOT_LOADED",
    `${noun} ${path} for function ${name} is not loaded`,
  );
}

function tooLarge(noun: string, maximum: number): ControlError {
  return new ControlError(413, "FILE_TOO_LARGE", `a ${noun} may have ${maximum} bytes at most`);
}
