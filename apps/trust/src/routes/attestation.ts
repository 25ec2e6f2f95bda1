// The service's own routes: challenges, certificates, the authority.
import { isSimulated } from "@holdfast/channel";
import {
  AttestationAuthority,
  AttestationChallenge,
  CertificateBody,
  IssuedCertificate,
} from "@holdfast/contract";
import { toBase64, toHex, toPem, webCrypto } from "@holdfast/core";
import { nitroPlatform } from "@holdfast/evidence";
import type { App, AppDependencies } from "../app.ts";
import { anchorsOf, certify } from "../services/certify.ts";
import { base64Member } from "./base64-member.ts";

/** Adds the routes. */
export function attestationRoutes(app: App, deps: AppDependencies): void {
  app.post(
    "/v1/challenges",
    { schema: { response: { 201: AttestationChallenge } } },
    async (_request, reply) => {
      const { id, nonce, expiresAt } = deps.challenges.issue();
      return reply.code(201).send({
        challenge_id: id,
        nonce: toBase64(nonce),
        expires_at: expiresAt.toISOString(),
      });
    },
  );

  app.post(
    "/v1/certificates",
    { schema: { body: CertificateBody, response: { 201: IssuedCertificate } } },
    async ({ body }, reply) => {
      const certified = await certify(deps, {
        challengeId: body.challenge_id,
        evidence: base64Member(body.evidence, "evidence"),
        csr: base64Member(body.csr, "csr"),
        policyHashRequired: true,
        ...(body.authority_sha256 === undefined ? {} : { authoritySha256: body.authority_sha256 }),
      });
      return reply.code(201).send({
        chain_pem: toPem("CERTIFICATE", certified.der) + certified.authority.chainPem,
        platform: certified.platform,
        simulated: isSimulated(certified.platform),
        measurement: certified.measurement,
        policy_hash: certified.policyHash ?? "",
        not_after: certified.notAfter.toISOString(),
      });
    },
  );

  app.get("/v1/authority", { schema: { response: { 200: AttestationAuthority } } }, async () => {
    const accepts = anchorsOf(deps.config).map(async (root) => {
      const platform = nitroPlatform(root);
      const sha256 = toHex(await webCrypto.digest("SHA-256", root.der));
      return { platform, simulated: isSimulated(platform), root_sha256: sha256 };
    });
    return {
      certificate_pem: deps.keys.authority.certificatePem,
      previous: deps.keys.authorities.slice(1).map(({ certificatePem }) => certificatePem),
      accepts: await Promise.all(accepts),
    };
  });
}
