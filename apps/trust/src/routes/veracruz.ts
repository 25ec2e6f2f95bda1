// The doors of the Veracruz attestation proxy, for runtimes and servers that speak its protocol: a challenge as raw
// bytes, then a form with token and request, answered by two certificates one after the other. The checks are ours.
import { concat } from "@holdfast/core";
import { Type } from "typebox";
import type { App, AppDependencies } from "../app.ts";
import { TrustError } from "../errors.ts";
import { certify } from "../services/certify.ts";
import { base64Member } from "./base64-member.ts";

/** Media type the proxy's clients expect, although the body is not JSON. */
const CHALLENGE_TYPE = "application/vnd.veraison.challenge-response-session+json";
const FORM = /^multipart\/form-data;/i;

/** Adds the routes. */
export function veracruzRoutes(app: App, deps: AppDependencies): void {
  app.addContentTypeParser(FORM, { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  app.post("/proxy/v1/Start", async (_request, reply) => {
    const { id, nonce } = deps.challenges.issue();
    return reply.code(201).header("location", id).type(CHALLENGE_TYPE).send(Buffer.from(nonce));
  });

  app.post(
    "/proxy/v1/Nitro/:id",
    { schema: { params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }) } },
    async ({ params, headers, body }, reply) => {
      const form = await readForm(headers["content-type"], body);
      const certified = await certify(deps, {
        challengeId: params.id,
        evidence: base64Member(formText(form, "token"), "token"),
        csr: base64Member(formText(form, "csr"), "csr"),
        policyHashRequired: false,
      });
      const both = concat(certified.der, certified.authority.certificate.der);
      return reply.code(200).type("application/octet-stream").send(Buffer.from(both));
    },
  );

  // A genuine PSA token has no place for the request: its root of trust signs the challenge, and what was measured at
  // boot. A token that names the request as a component's signer was written by software that may write any measurement.
  app.post("/proxy/v1/PSA/:id", async () => {
    throw new TrustError(
      "EVIDENCE_UNBOUND",
      "a PSA token can't be bound to a request: no certificate is issued over one; POST /v1/appraisals judges it",
    );
  });
}

async function readForm(contentType: string | undefined, body: unknown): Promise<FormData> {
  if (contentType === undefined || !FORM.test(contentType) || !Buffer.isBuffer(body)) {
    throw new TrustError("REQUEST_MEDIA_TYPE", "a multipart form with token and csr is expected");
  }
  try {
    const headers = { "content-type": contentType };
    return await new Response(new Uint8Array(body), { headers }).formData();
  } catch (cause) {
    throw new TrustError("REQUEST_INVALID", "the multipart form can't be read", { cause });
  }
}

function formText(form: FormData, name: string): string {
  const [value, ...more] = form.getAll(name);
  if (typeof value === "string" && more.length === 0) return value.trim();
  throw new TrustError("REQUEST_INVALID", `the form must have one field ${name}`);
}
