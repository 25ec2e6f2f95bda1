// A new definition of a function that is there: it is a draft, which nobody notices, until its last file is stored; in
// that very moment it is a version, and what the function's name means.
import { DraftResource, FetchBody, FunctionBody } from "@holdfast/contract";
import type { StoredRevision } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { callerLeft } from "../http/caller-left.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { announcedLength, drain, incomingBytes } from "../http/upload-body.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasContext, type CcfaasParts, contextOf, timestamp } from "./context.ts";
import { fetchDraftFile, findDraft, noDraft, putDraftFile } from "./draft-files.ts";
import { pathOf } from "./file-routes.ts";
import { revisionFrom } from "./new-revision.ts";
import { findFunction } from "./register-function.ts";
import { filesOf } from "./v1-function-routes.ts";

const Name = Type.Object({ name: Type.String() });
const NameAndFile = Type.Object({ name: Type.String(), "*": Type.String() });
const response = { 200: DraftResource };

/** Adds the routes. */
export function v1DraftRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.put(
    "/v1/functions/:name/draft",
    {
      schema: {
        summary: "Begin a new definition; published at once when no file of it is missing",
        params: Name,
        body: FunctionBody,
        response,
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const { name } = request.params;
      return resourceOf(context, name, await begin(context, name, request.body));
    },
  );

  app.get(
    "/v1/functions/:name/draft",
    { schema: { summary: "The draft of a function", params: Name, response } },
    async (request) => {
      const context = contextOf(parts, request);
      const { name } = request.params;
      return resourceOf(context, name, await findDraft(context, await findFunction(context, name)));
    },
  );

  app.delete(
    "/v1/functions/:name/draft",
    { schema: { summary: "Give a draft up", params: Name, response: { 204: Type.Null() } } },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { id, name } = await findFunction(context, request.params.name);
      if (!(await context.store.functions.removeDraft(id))) throw noDraft(name);
      await collectBlobs(context);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/v1/functions/:name/draft/fetch",
    {
      schema: {
        summary: "Fetch a file of the draft from where it is, checked against its digest",
        params: Name,
        body: FetchBody,
        response,
      },
    },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { name } = request.params;
      const left = callerLeft(reply.raw);
      return resourceOf(context, name, await fetchDraftFile(context, name, request.body, left));
    },
  );

  // The body is bytes, whatever type a client gives.
  app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    uploads.put<{ Params: { name: string; "*": string } }>(
      "/v1/functions/:name/draft/files/*",
      {
        schema: {
          summary: "Upload a file of the draft; its name is the base64 of its path",
          params: NameAndFile,
          consumes: "application/octet-stream",
          response,
        },
      },
      async (request) => {
        const { params, raw } = request;
        try {
          const context = contextOf(parts, request);
          const { name, "*": file } = params;
          const incoming = { bytes: incomingBytes(raw), announced: announcedLength(raw) };
          const revision = await putDraftFile(context, name, pathOf(file), incoming);
          return await resourceOf(context, name, revision);
        } catch (thrown) {
          drain(raw);
          throw thrown;
        }
      },
    );
  });
}

async function begin(
  context: CcfaasContext,
  name: string,
  body: FunctionBody,
): Promise<StoredRevision> {
  const { id } = await findFunction(context, name);
  if (body.function !== name) {
    const text = `the definition is of ${body.function}, the draft of ${name}`;
    throw new ControlError(400, "NAME_INVALID", text);
  }
  const draft = revisionFrom(body);
  const begun = await context.store.functions.putDraft(id, draft, timestamp(context));
  // What a draft before had may be nobody's now.
  await collectBlobs(context);
  if (begun !== undefined) return begun;
  throw new ControlError(404, "FUNCTION_NOT_FOUND", `function ${name} not found`);
}

async function resourceOf(
  context: CcfaasContext,
  name: string,
  revision: StoredRevision,
): Promise<DraftResource> {
  const { version, digest, createdAt } = revision;
  return {
    function: name,
    state: version === undefined ? "draft" : "published",
    ...(version === undefined ? {} : { version }),
    digest: `sha256:${digest}`,
    ...(await filesOf(context, revision)),
    created_at: createdAt,
  };
}
