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
import { drain, incomingBytes } from "../http/upload-body.ts";
import { collectBlobs } from "./collect-blobs.ts";
import type { CcfaasContext } from "./context.ts";
import { type DefinedFile, definitionOf, type FileKind, findDefined } from "./function-files.ts";
import { findFunction } from "./register-function.ts";
import { NOUNS, storeFile } from "./store-file.ts";

const Name = Type.Object({ name: Type.String() });
/** The rest of the path: standard base64 may hold slashes. */
const NameAndFile = Type.Object({ name: Type.String(), "*": Type.String() });

/** Adds the routes of programs and data files. */
export function fileRoutes(app: ServiceApp, context: CcfaasContext): void {
  kindRoutes(app, context, "program", {
    list: "programs",
    answer: ProgramList,
    loaded: () => "function loaded!",
  });
  kindRoutes(app, context, "data_file", {
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

function kindRoutes(app: ServiceApp, context: CcfaasContext, kind: FileKind, words: Words): void {
  const { store } = context;

  const listing = { schema: { params: Name, answer: words.answer } };
  app.get(`/function/:name/${kind}`, listing, async ({ params }, reply) => {
    const found = await findFunction(context, params.name);
    const stored = (await store.functions.files(found.id)).filter((file) => file.kind === kind);
    return sendJson(reply, { [words.list]: stored.map(({ path }) => toBase64(fromText(path))) });
  });

  app.get(
    `/function/:name/${kind}/*`,
    { schema: { params: NameAndFile, ...PARAGRAPH } },
    async ({ params }, reply) => {
      const { found, path } = await locate(context, kind, params);
      const isStored = (await store.functions.files(found.id)).some((file) => file.path === path);
      if (!isStored) throw notLoaded(kind, path, found.name);
      return sendParagraph(reply, `${NOUNS[kind]} ${path} is loaded in function ${found.name}`);
    },
  );

  app.delete(
    `/function/:name/${kind}/*`,
    { schema: { params: NameAndFile, ...PARAGRAPH } },
    async ({ params }, reply) => {
      const { found, path } = await locate(context, kind, params);
      if (!(await store.functions.removeFile(found.id, path))) {
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
      async ({ params, raw }, reply) => {
        try {
          const { found, path, file } = await locate(context, kind, params);
          const length = raw.headers["content-length"];
          const announced = length === undefined ? undefined : Number(length);
          await storeFile(context, found, file, incomingBytes(raw), announced);
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
    const file = findDefined(definitionOf(found), kind, given);
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

function notLoaded(kind: FileKind, path: string, name: string): ControlError {
  return new ControlError(
    404,
    "FILE_NOT_LOADED",
    `${NOUNS[kind]} ${path} for function ${name} is not loaded`,
  );
}
