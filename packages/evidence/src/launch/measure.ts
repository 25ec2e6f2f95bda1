// The measurement of a SEV launch, which the platform's firmware makes with a key that only the guest's owner knows besides
// (SEV API, LAUNCH_MEASURE): no signature, but proof of digest, policy and firmware version.
import { type Check, type CryptoPort, check, concat, equalBytes, toHex } from "@holdfast/core";

/** What a launch is measured over. */
export interface SevLaunch {
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly build: number;
  readonly policy: number;
  readonly launchDigest: Uint8Array;
}

/** What a guest's owner accepts. */
export interface SevLaunchPolicy {
  /** Digests; an empty list accepts none. */
  readonly launchDigests: readonly Uint8Array[];
  /** Bits of the guest policy that must be set; by default NODBG. */
  readonly policyBits?: number;
  readonly minimumApi?: readonly [major: number, minor: number];
  readonly minimumBuild?: number;
}

const CONTEXT = 4;
const NO_DEBUG = 1;
const BLOCK = 64;

/** The measurement of a launch under the transport integrity key. */
export async function sevLaunchMeasure(
  launch: SevLaunch,
  tik: Uint8Array,
  nonce: Uint8Array,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  const policy = new Uint8Array(4);
  new DataView(policy.buffer).setUint32(0, launch.policy, true);
  return await hmacSha256(
    tik,
    concat(
      Uint8Array.of(CONTEXT, launch.apiMajor, launch.apiMinor, launch.build),
      policy,
      launch.launchDigest,
      nonce,
    ),
    crypto,
  );
}

/**
 * Checks the answer of a platform, 32 bytes of measurement and 16 of nonce, for a launch that it claims.
 * @returns every check, in order
 */
export async function checkSevLaunch(
  launch: SevLaunch,
  answer: Uint8Array,
  tik: Uint8Array,
  policy: SevLaunchPolicy,
  crypto: CryptoPort,
): Promise<Check[]> {
  const whole = answer.length === 48;
  const wanted = await sevLaunchMeasure(launch, tik, answer.subarray(32), crypto);
  const measured = whole && tik.length === 16 && equalBytes(wanted, answer.subarray(0, 32));
  const bits = policy.policyBits ?? NO_DEBUG;
  const [major, minor] = policy.minimumApi ?? [0, 0];
  const newer = launch.apiMajor > major || (launch.apiMajor === major && launch.apiMinor >= minor);
  return [
    check(
      "sev.measure",
      measured,
      measured ? "made with the owner's key" : "the measurement is wrong",
    ),
    check(
      "sev.launch-digest",
      policy.launchDigests.some((each) => equalBytes(each, launch.launchDigest)),
      `launch digest ${toHex(launch.launchDigest)}`,
    ),
    check(
      "sev.policy",
      (launch.policy & bits) === bits,
      `guest policy ${launch.policy.toString(16)}h, bits ${bits.toString(16)}h expected`,
    ),
    check(
      "sev.firmware",
      newer && launch.build >= (policy.minimumBuild ?? 0),
      `API ${launch.apiMajor}.${launch.apiMinor} build ${launch.build}`,
    ),
  ];
}

/** HMAC of RFC 2104 over the digest of a crypto port; the key is shorter than a block. */
async function hmacSha256(
  key: Uint8Array,
  data: Uint8Array,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  const padded = concat(key, new Uint8Array(Math.max(0, BLOCK - key.length)));
  const masked = (mask: number): Uint8Array => padded.map((byte) => byte ^ mask);
  const inner = await crypto.digest("SHA-256", concat(masked(0x36), data));
  return await crypto.digest("SHA-256", concat(masked(0x5c), inner));
}
