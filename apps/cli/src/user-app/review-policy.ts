// A policy comes back from services that nobody has to trust, and the keep proves only that it runs that very text. So
// the text itself is held against what was asked for before anything else happens: who else may read, what program
// runs, and, where the user knows them, the measurement and the authority.

import type { UserPolicyBody } from "@holdfast/contract";
import { type Check, check, equalBytes, fromPem, notPerformed, unmet } from "@holdfast/core";
import {
  normalizePath,
  type Policy,
  type PolicyIdentity,
  RIGHTS,
  type RightsTable,
} from "@holdfast/policy";
import { CliError } from "../errors.ts";

/** What the user knows for himself; what is absent is taken from the policy, and said to be. */
export interface PolicyExpectations {
  readonly asked: UserPolicyBody;
  /** 64 hexadecimal digits. */
  readonly measurement?: string;
  /** Certificate of the attestation authority, PEM. */
  readonly authorityPem?: string;
  /** SHA-256 of files by path. */
  readonly fileHashes?: ReadonlyMap<string, string>;
}

const READING = RIGHTS.fd_read | RIGHTS.fd_readdir;

/** Every check of the review. */
export function reviewPolicy(policy: Policy, expected: PolicyExpectations): Check[] {
  const { mine, others, missing } = sortIdentities(policy, expected.asked);
  return [
    check(
      "review.identities",
      missing === 0 && mine.length === expected.asked.identities.length,
      missing === 0
        ? `${mine.length} identities have exactly the rights that were asked for`
        : `${missing} identities do not have the rights that were asked for`,
    ),
    othersCheck(others),
    pinnedCheck(policy),
    ...hashChecks(policy, expected.fileHashes),
    measurementCheck(policy, expected.measurement),
    authorityCheck(policy, expected.authorityPem),
  ];
}

/**
 * Refuses a policy that is not what was asked for.
 * @throws CliError CLI_NOT_VERIFIED
 */
export function requireReviewed(checks: readonly Check[]): void {
  const failed = unmet(checks).find(({ outcome }) => outcome === "failed");
  if (failed === undefined) return;
  throw new CliError(
    "CLI_NOT_VERIFIED",
    `the policy is not what was asked for: ${failed.name}: ${failed.detail}`,
    {
      hint: "send nothing to this keep: the services answered with a policy that you did not ask for",
    },
  );
}

function sortIdentities(
  policy: Policy,
  asked: UserPolicyBody,
): { mine: PolicyIdentity[]; others: PolicyIdentity[]; missing: number } {
  const wanted = asked.identities.map(({ certificate, file_rights }) => ({
    der: fromPem("CERTIFICATE", certificate)[0] ?? new Uint8Array(),
    rights: new Map(file_rights.map(({ file_name, rights }) => [normalizePath(file_name), rights])),
  }));
  const isMine = ({ certificateDer }: PolicyIdentity): boolean =>
    wanted.some(({ der }) => equalBytes(der, certificateDer));
  const mine = policy.identities.filter(isMine);
  const missing = wanted.filter(
    ({ der, rights }) =>
      !mine.some((each) => equalBytes(each.certificateDer, der) && sameRights(each.rights, rights)),
  ).length;
  return { mine, others: policy.identities.filter((each) => !isMine(each)), missing };
}

function othersCheck(others: readonly PolicyIdentity[]): Check {
  const name = "review.others";
  for (const { id, rights } of others) {
    for (const [path, value] of rights) {
      if ((value & READING) !== 0)
        return check(name, false, `identity ${id}, unknown to you, may read ${path}`);
    }
  }
  return check(name, true, `${others.length} other identities, none may read anything`);
}

function pinnedCheck({ programs, fileHashes }: Policy): Check {
  const loose = programs.find(({ path }) => !fileHashes.has(path));
  return check(
    "review.programs",
    loose === undefined && programs.length > 0,
    loose === undefined
      ? `${programs.length} programs, each pinned to its SHA-256`
      : `program ${loose.path} is not pinned: whoever may write it may change it`,
  );
}

function hashChecks(policy: Policy, wanted: ReadonlyMap<string, string> | undefined): Check[] {
  const name = "review.file-hashes";
  if (wanted === undefined) {
    return [notPerformed(name, "no hashes known here; those of the policy hold")];
  }
  const other = [...wanted].find(([path, hash]) => policy.fileHashes.get(path) !== hash);
  return [
    check(
      name,
      other === undefined,
      other === undefined
        ? `${wanted.size} files are pinned to the hashes known here`
        : `${other[0]} is pinned to ${policy.fileHashes.get(other[0]) ?? "nothing"}, known here is ${other[1]}`,
    ),
  ];
}

function measurementCheck({ measurements }: Policy, wanted: string | undefined): Check {
  const name = "review.measurement";
  if (wanted === undefined)
    return notPerformed(name, "no measurement known here; the policy's holds");
  return check(
    name,
    measurements.nitro === wanted,
    measurements.nitro === wanted
      ? `${wanted} is the keep that is known here`
      : `the policy names ${measurements.nitro ?? "none"}, known here is ${wanted}`,
  );
}

function authorityCheck({ attestation }: Policy, wantedPem: string | undefined): Check {
  const name = "review.authority";
  if (wantedPem === undefined) {
    return notPerformed(name, "no attestation authority known here; the policy's holds");
  }
  const [wanted = new Uint8Array()] = fromPem("CERTIFICATE", wantedPem);
  const same = fromPem("CERTIFICATE", attestation.certificatePem).every((der) =>
    equalBytes(der, wanted),
  );
  return check(
    name,
    same,
    same
      ? "the attestation authority is the one known here"
      : "the policy names another attestation authority",
  );
}

function sameRights(left: RightsTable, right: RightsTable): boolean {
  return (
    left.size === right.size && [...left].every(([path, rights]) => right.get(path) === rights)
  );
}
