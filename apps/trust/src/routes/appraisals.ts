// Routes for relying parties: evidence in, a signed attestation result out, and the keys to check it with.
import {
  type AppraisalBody,
  AppraisalResult,
  AppraisalBody as AppraisalSchema,
  JwkSet,
} from "@holdfast/contract";
import { EVIDENCE_TYPES, type EvidenceType } from "@holdfast/evidence";
import type { App, AppDependencies } from "../app.ts";
import { TrustError } from "../errors.ts";
import { appraise } from "../services/appraise.ts";
import { base64Member } from "./base64-member.ts";

const BODY_LIMIT = 4 * 1024 * 1024;

/** Adds the routes. */
export function appraisalRoutes(app: App, deps: AppDependencies): void {
  app.post(
    "/v1/appraisals",
    {
      bodyLimit: BODY_LIMIT,
      schema: { body: AppraisalSchema, response: { 200: AppraisalResult } },
    },
    async ({ body }) => {
      const { token, appraisal, status, expiresAt } = await appraise(deps, {
        type: typeOf(body.type),
        evidence: base64Member(body.evidence, "evidence"),
        challengeId: body.challenge_id,
        nonce: optional(body, "nonce"),
        reportData: optional(body, "report_data"),
        endorsements: (body.endorsements ?? []).map(({ name, bytes }) => ({
          name,
          bytes: base64Member(bytes, `endorsement ${name}`),
        })),
        expect: body.expect === undefined ? undefined : new Map(Object.entries(body.expect)),
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

function typeOf(type: string | undefined): EvidenceType | undefined {
  const known = EVIDENCE_TYPES.find((each) => each === type);
  if (type === undefined || known !== undefined) return known;
  throw new TrustError(
    "EVIDENCE_TYPE_UNKNOWN",
    `evidence of type ${type} is not judged; known are ${EVIDENCE_TYPES.join(", ")}`,
  );
}

function optional(body: AppraisalBody, name: "nonce" | "report_data"): Uint8Array | undefined {
  const text = body[name];
  return text === undefined ? undefined : base64Member(text, name);
}
