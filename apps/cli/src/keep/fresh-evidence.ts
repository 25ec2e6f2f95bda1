// Evidence made now, over a nonce of our own, judged here: no attestation service has to be believed. It is bound to the
// key of this very connection, and to the policy.
import { createHash, randomBytes } from "node:crypto";
import type { KeepVerdict } from "@holdfast/channel";
import { POLICY_HASH_OID } from "@holdfast/channel";
import type { KeepClient } from "@holdfast/contract";
import {
  affirmed,
  type Certificate,
  type Check,
  type Clock,
  check,
  equalBytes,
  fromBase64,
  fromPem,
  isRequestSigned,
  parseCertificate,
  parseCertificationRequest,
  toHex,
  webCrypto,
} from "@holdfast/core";
import { awsNitroRoot, nitroMeasurement, verifyNitro } from "@holdfast/evidence";
import { CliError } from "../errors.ts";
import { readTextFile } from "../files.ts";

const NONCE_BYTES = 32;

/**
 * Asks a keep for fresh evidence and judges it.
 * @param options.simulatedRoot accepted beside the AWS root when given
 * @returns every check
 */
export async function judgeFreshEvidence(
  keep: KeepClient,
  verdict: KeepVerdict,
  options: { clock: Clock; simulatedRoot?: Certificate },
): Promise<{ checks: readonly Check[]; platform: string; simulated: boolean }> {
  const nonce = randomBytes(NONCE_BYTES);
  const answer = await keep.evidence(nonce.toString("hex"));
  const csr = fromBase64(answer.csr);
  const appraisal = await verifyNitro(fromBase64(answer.evidence), {
    anchors: [
      awsNitroRoot(),
      ...(options.simulatedRoot === undefined ? [] : [options.simulatedRoot]),
    ],
    at: options.clock.now(),
    crypto: webCrypto,
    nonce,
    userData: createHash("sha256").update(csr).digest(),
    pcrs: "waived",
  });
  const measured = appraisal.claims === undefined ? undefined : nitroMeasurement(appraisal.claims);
  const checks = [
    ...appraisal.checks.filter(({ name }) => !appraisal.waived.includes(name)),
    check(
      "evidence.measurement",
      measured !== undefined && measured === verdict.measurement,
      `PCR0 begins with ${measured ?? "nothing that is proven"}`,
    ),
    ...(await requestChecks(csr, verdict)),
  ];
  return { checks, platform: appraisal.platform, simulated: appraisal.simulated };
}

/**
 * Refuses fresh evidence that does not hold.
 * @throws CliError CLI_NOT_VERIFIED
 */
export function requireFresh(checks: readonly Check[]): void {
  if (affirmed(checks)) return;
  const fault = checks.find(({ outcome }) => outcome !== "passed");
  throw new CliError(
    "CLI_NOT_VERIFIED",
    `fresh evidence does not hold: ${fault?.name}: ${fault?.detail}`,
    { hint: "a simulated platform's root must be named: --simulated-root root.pem" },
  );
}

/** The root of a simulated platform, from its file. */
export async function readSimulatedRoot(path: string): Promise<Certificate> {
  const [der, ...more] = fromPem("CERTIFICATE", await readTextFile(path, "simulated root"));
  if (der === undefined || more.length > 0) {
    throw new CliError("CLI_INPUT", `${path} must hold exactly one certificate`);
  }
  return parseCertificate(der);
}

async function requestChecks(csr: Uint8Array, verdict: KeepVerdict): Promise<Check[]> {
  const request = parseCertificationRequest(csr);
  const leaf = verdict.leaf === undefined ? undefined : parseCertificate(verdict.leaf);
  const sameKey = leaf !== undefined && equalBytes(leaf.spki, request.spki);
  const bound = request.extensions.get(POLICY_HASH_OID)?.value;
  const samePolicy = bound !== undefined && toHex(bound) === verdict.policyHash;
  return [
    check(
      "evidence.request",
      await isRequestSigned(request, webCrypto),
      "the request is signed by its own key",
    ),
    check(
      "evidence.key",
      sameKey,
      sameKey ? "the evidence binds the key of this connection" : "the evidence binds another key",
    ),
    check(
      "evidence.policy-hash",
      samePolicy,
      samePolicy ? "the evidence binds this policy" : "the evidence binds another policy",
    ),
  ];
}
