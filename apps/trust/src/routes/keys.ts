// Routes of the key broker: data owners' keys, for the administrator, and their release to keeps. Every change and every
// release is on the log of decisions, which never has a key.
import {
  KeyBody,
  KeyGrant,
  KeyList,
  KeyName,
  KeyReleaseBody,
  KeyResource,
  MAXIMUM_RELEASE_BODY,
  ReleasedKey,
} from "@holdfast/contract";
import { canonicalJson } from "@holdfast/core";
import { Type } from "typebox";
import type { App, AppDependencies } from "../app.ts";
import { releaseKey } from "../services/release-key.ts";
import { base64Member } from "./base64-member.ts";
import { requireAdmin } from "./require-admin.ts";

const NAMED = Type.Object({ name: KeyName });
/** A grant of the greatest size, with room to spare. */
const BODY_LIMIT = 128 * 1024;

/** Adds the routes. */
export function keyRoutes(app: App, deps: AppDependencies): void {
  const onRequest = requireAdmin(deps);
  const log = (outcome: string, name: string, grant?: KeyGrant): Promise<void> =>
    deps.log.append({
      kind: "key",
      outcome,
      time: deps.clock.now().toISOString(),
      checks: [],
      facts: { key: name, ...(grant && { grant: canonicalJson(grant) }) },
    });

  app.get("/v1/keys", { onRequest, schema: { response: { 200: KeyList } } }, async () => ({
    keys: deps.heldKeys.list(),
  }));

  app.get(
    "/v1/keys/:name",
    { onRequest, schema: { params: NAMED, response: { 200: KeyResource } } },
    async ({ params }) => deps.heldKeys.get(params.name),
  );

  app.put(
    "/v1/keys/:name",
    {
      onRequest,
      bodyLimit: BODY_LIMIT,
      schema: { params: NAMED, body: KeyBody, response: { "2xx": KeyResource } },
    },
    async ({ params, body }, reply) => {
      const made = await deps.heldKeys.put(params.name, body);
      // Also when it was there: the log may have failed when it was made.
      await log(made ? "made" : "unchanged", params.name, body.grant);
      return reply.code(made ? 201 : 200).send(deps.heldKeys.get(params.name));
    },
  );

  app.put(
    "/v1/keys/:name/grant",
    {
      onRequest,
      bodyLimit: BODY_LIMIT,
      schema: { params: NAMED, body: KeyGrant, response: { 200: KeyResource } },
    },
    async ({ params, body }) => {
      await deps.heldKeys.regrant(params.name, body);
      await log("granted", params.name, body);
      return deps.heldKeys.get(params.name);
    },
  );

  app.delete(
    "/v1/keys/:name",
    { onRequest, schema: { params: NAMED } },
    async ({ params }, reply) => {
      await deps.heldKeys.remove(params.name);
      await log("removed", params.name);
      return reply.code(204).send();
    },
  );

  app.post(
    "/v1/keys/:name/release",
    {
      bodyLimit: MAXIMUM_RELEASE_BODY,
      schema: { params: NAMED, body: KeyReleaseBody, response: { 200: ReleasedKey } },
    },
    async ({ params, body }) => ({
      jwe: await releaseKey(deps, {
        name: params.name,
        challengeId: body.challenge_id,
        evidence: base64Member(body.evidence, "evidence"),
        request: base64Member(body.request, "request"),
      }),
    }),
  );
}
