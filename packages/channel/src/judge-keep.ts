// What a keep must prove before anything goes in: its certificate chains to the authority that the policy names, and
// carries the measurement and the hash of that very policy, all within their dates.
import {
  type Certificate,
  type Check,
  check,
  fromPem,
  notPerformed,
  parseCertificate,
  verifyPath,
  webCrypto,
} from "@holdfast/core";
import type { Policy } from "@holdfast/policy";
import {
  isSimulated,
  keepClaims,
  MEASUREMENT_OID,
  PLATFORM_OID,
  POLICY_HASH_OID,
} from "./keep-certificate.ts";

/** Groups of checks that a caller may skip, by a flag that says so. */
export type SkippableCheck = "chain" | "measurement" | "policy-hash" | "dates";

/** Outcome of judging a keep. */
export interface KeepVerdict {
  /** Every check, in order; a skipped one stands as not performed. */
  readonly checks: readonly Check[];
  /** All passed, save those the caller skipped on purpose. */
  readonly affirmed: boolean;
  readonly platform: string;
  readonly simulated: boolean;
  readonly measurement: string | undefined;
  readonly policyHash: string;
  /** End of the keep's certificate. */
  readonly notAfter: Date;
  /** The keep's own certificate, DER, for whoever binds more to its key; absent when it presented none. */
  readonly leaf?: Uint8Array;
  /** Subjects from the leaf to the authority. */
  readonly chain: readonly string[];
}

/** What is judged, against what, and when. */
export interface JudgeRequest {
  /** Certificates the keep presented, leaf first, DER. */
  readonly chain: readonly Uint8Array[];
  readonly policy: Policy;
  /** SHA-256 of the policy text, lower-case hexadecimal. */
  readonly policyHash: string;
  readonly at: Date;
  readonly skip?: ReadonlySet<SkippableCheck>;
}

/**
 * Judges a keep by its certificates.
 * @throws CertificateError when a certificate can't be read
 */
export async function judgeKeep(request: JudgeRequest): Promise<KeepVerdict> {
  const chain = request.chain.map((der) => parseCertificate(der));
  const [leaf] = chain;
  const claims = leaf === undefined ? {} : keepClaims(leaf);
  const skip = request.skip ?? new Set();
  const groups: readonly (readonly [SkippableCheck, readonly Check[]])[] = [
    ...(await pathGroups(chain, request)),
    ["measurement", [measurementCheck(claims.measurement, claims.platform, request.policy)]],
    ["policy-hash", [policyHashCheck(claims.policyHash, request.policyHash)]],
    ["dates", [policyDateCheck(request.policy, request.at)]],
  ];
  const checks = groups.flatMap(([group, members]) =>
    skip.has(group) ? members.map(({ name }) => notPerformed(name, "skipped by request")) : members,
  );
  const failing = groups.some(
    ([group, members]) => !skip.has(group) && members.some(({ outcome }) => outcome !== "passed"),
  );
  return {
    checks,
    affirmed: leaf !== undefined && !failing,
    platform: claims.platform ?? "unknown",
    simulated: isSimulated(claims.platform),
    measurement: claims.measurement,
    policyHash: request.policyHash,
    notAfter: leaf?.notAfter ?? request.at,
    ...(leaf === undefined ? {} : { leaf: leaf.der }),
    chain: chain.map(({ subject }) => subject.text),
  };
}

async function pathGroups(
  chain: readonly Certificate[],
  { policy, at }: JudgeRequest,
): Promise<[SkippableCheck, Check[]][]> {
  const anchors = fromPem("CERTIFICATE", policy.attestation.certificatePem).map((der) =>
    parseCertificate(der),
  );
  const checks = await verifyPath({
    chain,
    anchors,
    at,
    crypto: webCrypto,
    knownExtensions: [MEASUREMENT_OID, POLICY_HASH_OID, PLATFORM_OID],
  });
  const isDate = ({ name }: Check): boolean => name === "path.validity";
  return [
    ["chain", checks.filter((each) => !isDate(each))],
    ["dates", checks.filter(isDate)],
  ];
}

function measurementCheck(
  measurement: string | undefined,
  platform: string | undefined,
  policy: Policy,
): Check {
  const name = "keep.measurement";
  const wanted = platform?.endsWith("nitro") ? policy.measurements.nitro : undefined;
  if (wanted === undefined) {
    return check(
      name,
      false,
      `the policy names no measurement for platform ${platform ?? "unknown"}`,
    );
  }
  if (measurement === undefined)
    return check(name, false, "the certificate carries no measurement");
  return check(
    name,
    measurement === wanted,
    measurement === wanted
      ? `${measurement} is what the policy names`
      : `measured ${measurement}, the policy names ${wanted}`,
  );
}

function policyHashCheck(presented: string | undefined, wanted: string): Check {
  const name = "keep.policy-hash";
  if (presented === undefined) return check(name, false, "the certificate carries no policy hash");
  return check(
    name,
    presented === wanted,
    presented === wanted ? `${wanted}` : `the keep runs policy ${presented}, expected ${wanted}`,
  );
}

function policyDateCheck({ certificateExpiry }: Policy, at: Date): Check {
  const ends = certificateExpiry.toISOString();
  return check(
    "keep.policy-date",
    at <= certificateExpiry,
    at <= certificateExpiry ? `policy holds until ${ends}` : `policy ended at ${ends}`,
  );
}
