// The seed's routes of programs and data files. Bodies stream to the blob store while they are hashed; an upload that
// fails, however it fails, leaves nothing.

import { DataFileList, ProgramList } from "@holdfast/contract";
import { fromBase64, fromBase64Url, fromText, toBase64, toText } from "@holdfast/core";
import { PolicyError } from "@holdfast/policy";
import type { StoredFunction } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { PARAGRAPH, sendJson, sendParagraph } from "../http/answers.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { announcedLength, drain, incomingBytes } from "../http/upload-body.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasContext, type CcfaasParts, contextOf, timestamp } from "./context.ts";
import { type DefinedFile, definitionOf, type FileKind, findDefined } from "./function-files.ts";
import { findFunction } from "./register-function.ts";
import { NOUNS, storeFile } from "./store-file.ts";

const Name = Type.Object({ name: Type.String() });
/** The rest of the path: standard base64 may hold slashes. */
const NameAndFile = Type.Object({ name: Type.String(), "*": Type.String() });

/** Adds the routes of programs and data files. */
export function fileRoutes(app: ServiceApp, parts: CcfaasParts): void {
  kindRoutes(app, parts, "program", {
    list: "programs",
    answer: ProgramList,
    loaded: () => "function loaded!",
  });
  kindRoutes(app, parts, "data_file", {
    list: "data_files",
    answer: DataFileList,
    loaded: (path) => `data_file ${path} loaded!`,
  });
}

/** How the original services speak of a kind of file. */
interface Words {
  readonly list: string;
  readonly answer: object;
  readonly loaded: (path: string) => string;
}

function kindRoutes(app: ServiceApp, parts: CcfaasParts, kind: FileKind, words: Words): void {
  const listing = { schema: { params: Name, answer: words.answer } };
  app.get(`/function/:name/${kind}`, listing, async (request, reply) => {
    const context = contextOf(parts, request);
    const { head } = await findFunction(context, request.params.name);
    const files = await context.store.functions.files(head.id);
    const stored = files.filter((file) => file.kind === kind);
    return sendJson(reply, { [words.list]: stored.map(({ path }) => toBase64(fromText(path))) });
  });

  app.get(
    `/function/:name/${kind}/*`,
    { schema: { params: NameAndFile, ...PARAGRAPH } },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { found, path } = await locate(context, kind, request.params);
      const stored = await context.store.functions.files(found.head.id);
      if (!stored.some((file) => file.path === path)) throw notLoaded(kind, path, found.name);
      return sendParagraph(reply, `${NOUNS[kind]} ${path} is loaded in function ${found.name}`);
    },
  );

  app.delete(
    `/function/:name/${kind}/*`,
    { schema: { params: NameAndFile, ...PARAGRAPH } },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { found, path } = await locate(context, kind, request.params);
      const { functions } = context.store;
      if (!(await functions.removeFile(found.id, path, timestamp(context)))) {
        throw notLoaded(kind, path, found.name);
      }
      await collectBlobs(context);
      return sendParagraph(reply, `${NOUNS[kind]} ${path} deleted from function ${found.name}`);
    },
  );

  // Whatever type a client gives: the body is bytes. Only these routes read bodies that way.
  app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    uploads.post<{ Params: { name: string; "*": string } }>(
      `/function/:name/${kind}/*`,
      { schema: { params: NameAndFile, consumes: "application/octet-stream", ...PARAGRAPH } },
      async (request, reply) => {
        const { params, raw } = request;
        try {
          const context = contextOf(parts, request);
          const { found, path, file } = await locate(context, kind, params);
          const target = { name: found.name, revision: found.head };
          await storeFile(context, target, file, incomingBytes(raw), announcedLength(raw));
          return sendParagraph(reply, words.loaded(path));
        } catch (thrown) {
          drain(raw);
          throw thrown;
        }
      },
    );
  });
}

/** The function and the file that a path means. */
async function locate(
  context: CcfaasContext,
  kind: FileKind,
  params: { name: string; "*": string },
): Promise<{ found: StoredFunction; path: string; file: DefinedFile }> {
  const found = await findFunction(context, params.name);
  const given = pathOf(params["*"]);
  try {
    const file = findDefined(definitionOf(found.head), kind, given);
    if (file !== undefined) return { found, path: file.path, file };
  } catch (thrown) {
    if (!(thrown instanceof PolicyError) || thrown.code === "POLICY_INVALID") throw thrown;
  }
  throw new ControlError(
    404,
    "FILE_NOT_IN_FUNCTION",
    `${NOUNS[kind]} ${given} does not exist on function ${found.name}`,
  );
}

/**
 * A file's path from its name in a URL, which is base64 of either alphabet.
 * @throws ControlError NAME_INVALID
 */
export function pathOf(name: string): string {
  try {
    const isUrlSafe = !/[+/=]/.test(name);
    return toText(isUrlSafe ? fromBase64Url(name) : fromBase64(name));
  } catch (cause) {
    throw new ControlError(400, "NAME_INVALID", "the file's name in the URL must be base64", {
      cause,
    });
  }
}

function notLoaded(kind: FileKind, path: string, name: string): ControlError {
  return new ControlError(
    404,
    "FILE_NOT_LOADED",
    `${NOUNS[kind]} ${path} for function ${name} is not loaded`,
  );
}
