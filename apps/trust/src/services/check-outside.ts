// Whether a certificate that an outside authority gave for our key can be used: a certificate issued under it now must
// verify as a keep's client would verify it.

import { MEASUREMENT_OID, PLATFORM_OID, POLICY_HASH_OID } from "@holdfast/channel";
import {
  affirmed,
  type Clock,
  fromPem,
  parseCertificate,
  verifyPath,
  webCrypto,
} from "@holdfast/core";
import { readAuthority, type StoredAuthority } from "./authority.ts";
import { issueCertificate } from "./issue-certificate.ts";

const HOUR_HELD = 1;

/**
 * Checks a chain: the authority's certificate, then those above it, the outside root last. That the root is the right
 * one is the administrator's word.
 * @throws Error with the reason
 */
export async function checkOutside(stored: StoredAuthority, clock: Clock): Promise<void> {
  const authority = await readAuthority(stored);
  const chain = fromPem("CERTIFICATE", stored.chain_pem).map((der) => parseCertificate(der));
  const root = chain.at(-1);
  if (root === undefined || chain.length < 2) {
    throw new Error("the outside authority's certificate is missing");
  }
  const keep = {
    spki: authority.certificate.spki,
    platform: "simulated-nitro",
    measurement: "00".repeat(32),
    policyHash: "00".repeat(32),
  } as const;
  const { der } = await issueCertificate(authority, keep, HOUR_HELD, clock);
  const checks = await verifyPath({
    chain: [parseCertificate(der), ...chain],
    anchors: [root],
    at: clock.now(),
    crypto: webCrypto,
    knownExtensions: [MEASUREMENT_OID, POLICY_HASH_OID, PLATFORM_OID],
  });
  const fault = checks.find(({ outcome }) => outcome !== "passed");
  if (!affirmed(checks)) throw new Error(`${fault?.name}: ${fault?.detail}`);
}
