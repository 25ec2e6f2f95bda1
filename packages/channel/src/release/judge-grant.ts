// Whether a keep is one that a key's owner meant: the terms of a grant against the platform that was proven and the policy
// that the keep runs. Every term is compared, whether or not another failed already.
import { type Check, type CryptoPort, check, toHex } from "@holdfast/core";
import { allNotPerformed } from "@holdfast/evidence";
import { type Policy, verbsAt } from "@holdfast/policy";
import type { ProvenPlatform } from "../judge-platform.ts";
import { isSimulated } from "../keep-certificate.ts";

/** Who may have a key, as its owner said. What is absent is not asked for; one of programs and policies must be there. */
export interface ReleaseGrant {
  /** Of the keep: 64 digits as policies and certificates have it, or 96, the whole PCR0. */
  readonly measurements: readonly string[];
  /** SHA-256 of modules: every program of the policy is one of them. */
  readonly programs?: readonly string[];
  /** Hashes of full policies. */
  readonly policies?: readonly string[];
  /** SHA-256 of certificates, DER: whoever gets anything out of the keep is one of them. */
  readonly readers?: readonly string[];
  /** Whether a simulated platform will do. */
  readonly simulated?: boolean;
  /** RFC 3339; afterwards nobody gets the key. */
  readonly not_after?: string;
}

/** A keep as its evidence and its request show it. */
export interface ShownKeep extends ProvenPlatform {
  /** PCR0, all 96 digits. */
  readonly pcr0: string;
  readonly policy: Policy;
  readonly policyHash: string;
}

/** The checks of a grant, in order. */
export const GRANT_CHECKS = [
  "grant.known",
  "grant.measurement",
  "grant.platform",
  "grant.programs",
  "grant.policy",
  "grant.readers",
  "grant.time",
] as const;

const LISTS = ["measurements", "programs", "policies", "readers"] as const;

/** What one may do who gets something out of a keep: who runs a program learns how the run ended. */
const READING: ReadonlySet<string> = new Set(["read", "list", "execute"]);

/** The terms in a text, as a log of decisions has them; undefined for anything else. */
export function parseGrant(text: string): ReleaseGrant | undefined {
  try {
    const grant: Record<string, unknown> = JSON.parse(text);
    const { measurements, simulated, not_after: notAfter } = grant;
    const fits =
      measurements !== undefined &&
      LISTS.every((name) => grant[name] === undefined || isTexts(grant[name])) &&
      (simulated === undefined || typeof simulated === "boolean") &&
      (notAfter === undefined || typeof notAfter === "string");
    return fits ? (grant as unknown as ReleaseGrant) : undefined;
  } catch {
    // Not JSON, or null.
    return undefined;
  }
}

/**
 * Judges a keep by a grant.
 * @param grant undefined when there is no such key
 */
export async function judgeGrant(
  grant: ReleaseGrant | undefined,
  keep: ShownKeep,
  { at, crypto }: { readonly at: Date; readonly crypto: CryptoPort },
): Promise<Check[]> {
  const { policy, policyHash, platform, measurement, pcr0 } = keep;
  // Before anything else, so that no answer is sooner than another for what the grant says.
  const readers = await readersOf(policy, crypto);
  const [known, ...terms] = GRANT_CHECKS;
  if (grant === undefined) {
    return [
      check(known, false, "there is no key of this name"),
      ...allNotPerformed(terms, "there is no grant"),
    ];
  }
  const { measurements, programs, policies, not_after: notAfter } = grant;
  const stranger = grant.readers && readers.find(({ sha256 }) => !grant.readers?.includes(sha256));
  return [
    check(known, true, "there is a key of this name"),
    check(
      "grant.measurement",
      measurements.includes(measurement) || measurements.includes(pcr0),
      `${measurement}; ${measurements.length} are listed`,
    ),
    check(
      "grant.platform",
      grant.simulated === true || !isSimulated(platform),
      `${platform}; simulated platforms are ${grant.simulated === true ? "" : "not "}allowed`,
    ),
    programsCheck(policy, grant),
    check(
      "grant.policy",
      policies === undefined ? programs !== undefined : policies.includes(policyHash),
      policies === undefined
        ? `${policyHash}; no policies are listed`
        : `${policyHash}; ${policies.length} are listed`,
    ),
    check(
      "grant.readers",
      stranger === undefined,
      stranger === undefined
        ? `${readers.length} identities may get something out`
        : `identity ${stranger.id} (${stranger.sha256}) may get something out, and is not listed`,
    ),
    check(
      "grant.time",
      notAfter === undefined || at <= new Date(notAfter),
      `good until ${notAfter ?? "it is changed"}`,
    ),
  ];
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function programsCheck({ programs, fileHashes }: Policy, grant: ReleaseGrant): Check {
  const name = "grant.programs";
  if (grant.programs === undefined) {
    const detail = "the grant lists no programs";
    return check(name, grant.policies !== undefined, `${detail}; the policy decides`);
  }
  const listed = new Set(grant.programs);
  const other = programs.find(({ path }) => !listed.has(fileHashes.get(path) ?? ""));
  return check(
    name,
    other === undefined && programs.length > 0,
    other === undefined
      ? `${programs.length} programs, all listed`
      : `${other.path} (${fileHashes.get(other.path) ?? "not pinned"}) is not listed`,
  );
}

/** The identities that may get something out of a keep. What holds at a path is what its nearest entry says. */
async function readersOf(
  { identities }: Policy,
  crypto: CryptoPort,
): Promise<{ readonly id: number; readonly sha256: string }[]> {
  const readers = identities.filter(({ rights }) =>
    [...rights.keys()].some((path) => verbsAt(rights, path).some((verb) => READING.has(verb))),
  );
  return await Promise.all(
    readers.map(async ({ id, certificateDer }) => ({
      id,
      sha256: toHex(await crypto.digest("SHA-256", certificateDer)),
    })),
  );
}
