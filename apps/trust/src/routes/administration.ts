// The administrator's routes: reference values, and the authorities. Every change is on the log of decisions.
import {
  AuthorityChainBody,
  AuthorityRequest,
  AuthorityResource,
  ReferenceSetBody,
  ReferenceSetList,
  ReferenceSetName,
  ReferenceSetResource,
  SignedReferenceSetBody,
} from "@holdfast/contract";
import { Type } from "typebox";
import type { App, AppDependencies } from "../app.ts";
import { TrustError } from "../errors.ts";
import { type Authority, authorityRequest } from "../services/authority.ts";
import { versionOf } from "../services/reference-values.ts";
import { readSignedSet } from "../services/signed-set.ts";
import { requireAdmin } from "./require-admin.ts";

const NAMED = Type.Object({ name: ReferenceSetName });
const MATCH = Type.Object({ "if-match": Type.Optional(Type.String({ maxLength: 64 })) });
const BODY_LIMIT = 1024 * 1024;

type Facts = Readonly<Record<string, string | number | boolean>>;

/** Adds the routes. */
export function administrationRoutes(app: App, deps: AppDependencies): void {
  const onRequest = requireAdmin(deps);
  const log = (kind: string, outcome: string, facts: Facts): Promise<void> =>
    deps.log.append({ kind, outcome, time: deps.clock.now().toISOString(), checks: [], facts });

  app.get(
    "/v1/reference-values",
    { onRequest, schema: { response: { 200: ReferenceSetList } } },
    async () => ({ sets: [...deps.references.list()] }),
  );

  app.get(
    "/v1/reference-values/:name",
    { onRequest, schema: { params: NAMED, response: { 200: ReferenceSetResource } } },
    async ({ params }, reply) => {
      const set = deps.references.get(params.name);
      return reply.header("etag", versionOf(set)).send(set);
    },
  );

  app.put(
    "/v1/reference-values/:name",
    {
      onRequest,
      bodyLimit: BODY_LIMIT,
      schema: {
        params: NAMED,
        headers: MATCH,
        body: Type.Union([ReferenceSetBody, SignedReferenceSetBody]),
        response: { "2xx": ReferenceSetResource },
      },
    },
    async ({ params, headers, body }, reply) => {
      const content = contentOf(body, params.name, deps);
      const { set, made } = await deps.references.put(params.name, content, headers["if-match"]);
      await log("reference-values", made ? "made" : "replaced", {
        name: set.name,
        version: versionOf(set),
        content: "signed" in body ? body.signed : JSON.stringify(set),
      });
      return reply
        .code(made ? 201 : 200)
        .header("etag", versionOf(set))
        .send(set);
    },
  );

  app.delete(
    "/v1/reference-values/:name",
    { onRequest, schema: { params: NAMED, headers: MATCH } },
    async ({ params, headers }, reply) => {
      await deps.references.remove(params.name, headers["if-match"]);
      await log("reference-values", "removed", { name: params.name });
      return reply.code(204).send();
    },
  );

  app.post(
    "/v1/authority/rotate",
    { onRequest, schema: { response: { 201: AuthorityResource } } },
    async (_request, reply) => {
      const authority = await deps.keys.rotate();
      await log("authority", "rotated", { authority: authority.sha256 });
      return reply.code(201).send(resourceOf(authority));
    },
  );

  app.get(
    "/v1/authority/request",
    { onRequest, schema: { response: { 200: AuthorityRequest } } },
    async () => ({ request_pem: await authorityRequest(deps.keys.authority) }),
  );

  app.put(
    "/v1/authority/certificate",
    { onRequest, schema: { body: AuthorityChainBody, response: { 200: AuthorityResource } } },
    async ({ body }) => {
      const authority = await deps.keys.adopt(body.chain_pem);
      await log("authority", "adopted", { authority: authority.sha256 });
      return resourceOf(authority);
    },
  );

  app.delete(
    "/v1/authorities/:sha256",
    { onRequest, schema: { params: Type.Object({ sha256: Type.String({ maxLength: 64 }) }) } },
    async ({ params }, reply) => {
      await deps.keys.retire(params.sha256);
      await log("authority", "retired", { authority: params.sha256 });
      return reply.code(204).send();
    },
  );
}

/** The set of a body; where signers are configured, one of them must stand behind it. */
function contentOf(
  body: ReferenceSetBody | SignedReferenceSetBody,
  name: string,
  { config }: Pick<AppDependencies, "config">,
): ReferenceSetBody {
  if (!("signed" in body)) {
    if (config.referenceSigners.length === 0) return body;
    throw new TrustError("REQUEST_INVALID", "this service takes signed sets only");
  }
  const { name: own, ...content } = readSignedSet(body.signed, config.referenceSigners);
  if (own === name) return content;
  throw new TrustError("REQUEST_INVALID", `the signed set is named ${own}`);
}

function resourceOf({ sha256, certificatePem, chainPem }: Authority) {
  return { sha256, certificate_pem: certificatePem, chain_pem: chainPem };
}
