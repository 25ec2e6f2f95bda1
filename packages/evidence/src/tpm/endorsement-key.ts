// Endorsement key certificates of TPMs (TCG EK credential profile): that a key is of a genuine TPM. It says nothing yet of an
// attestation key: that both are in one TPM is proven by activating a credential.
import { type Certificate, type Check, check, notPerformed, PATH_CHECKS } from "@holdfast/core";
import { type FoundPath, findPath, prefixed } from "../judge/find-path.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { pathRevocation } from "../judge/revocation.ts";

/** Checks of a certificate, in order. */
export const EK_CHECKS = [
  ...PATH_CHECKS.map((name) => `ek.${name}` as const),
  "ek.revocation",
  "ek.purpose",
] as const;

const EK_PURPOSE = "2.23.133.8.1";
/** Subject directory attributes: version of the TPM's specification. */
const DIRECTORY_ATTRIBUTES = "2.5.29.9";

/**
 * Judges the certificate of an endorsement key.
 * @param request its anchors are the makers' roots, enrolled by the caller; its endorsements hold what stands between
 */
export async function judgeEndorsementKey(
  certificate: Certificate,
  request: JudgeRequest,
): Promise<{ readonly checks: readonly Check[]; readonly path: FoundPath }> {
  const path = await findPath({
    leaf: certificate,
    others: request.endorsements.certificates,
    anchors: request.anchors ?? [],
    at: request.at,
    crypto: request.crypto,
    leafUsage: certificate.key.kind === "rsa" ? "keyEncipherment" : "keyAgreement",
    knownExtensions: [DIRECTORY_ATTRIBUTES],
  });
  const listed = request.endorsements.revocationLists.length > 0;
  const revocation = listed
    ? (await pathRevocation("ek.revocation", path, request)).check
    : notPerformed("ek.revocation", "no revocation list was supplied");
  const purpose = certificate.extendedKeyUsage?.has(EK_PURPOSE) ?? false;
  return {
    path,
    checks: [
      ...prefixed("ek", path.checks),
      revocation,
      check(
        "ek.purpose",
        purpose,
        purpose ? "the certificate of an endorsement key" : "not certified as an endorsement key",
      ),
    ],
  };
}
