// Routes for relying parties: evidence in, a signed attestation result out, and the keys to check it with.
import {
  type AppraisalBody,
  AppraisalResult,
  AppraisalBody as AppraisalSchema,
  JwkSet,
} from "@holdfast/contract";
import type { App, AppDependencies } from "../app.ts";
import { appraise } from "../services/appraise.ts";
import { base64Member } from "./base64-member.ts";

/** Adds the routes. */
export function appraisalRoutes(app: App, deps: AppDependencies): void {
  app.post(
    "/v1/appraisals",
    { schema: { body: AppraisalSchema, response: { 200: AppraisalResult } } },
    async ({ body }) => {
      const bytes = (name: "nonce" | "user_data" | "public_key"): Uint8Array | undefined =>
        optional(body, name);
      const { token, appraisal, status, expiresAt } = await appraise(deps, {
        type: body.type,
        evidence: base64Member(body.evidence, "evidence"),
        challengeId: body.challenge_id,
        nonce: bytes("nonce"),
        userData: bytes("user_data"),
        publicKey: bytes("public_key"),
        names: body.names ?? "draft",
      });
      return { token, verdict: appraisal.verdict, status, expires_at: expiresAt.toISOString() };
    },
  );

  for (const path of ["/v1/jwks", "/.well-known/jwks.json"]) {
    app.get(path, { schema: { response: { 200: JwkSet } } }, async () => ({
      keys: (await deps.keys.resultKeys()).map(({ jwk }) => jwk),
    }));
  }
}

function optional(
  body: AppraisalBody,
  name: "nonce" | "user_data" | "public_key",
): Uint8Array | undefined {
  const text = body[name];
  return text === undefined ? undefined : base64Member(text, name);
}
