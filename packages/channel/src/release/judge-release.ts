// Whether a key goes to a keep: its evidence is authentic, fresh and bound to the request; the request asks for this key, on
// behalf of a policy under which nobody else gets at what the key opens; and the keep is one that the key's owner meant.
// The attestation service releases by this, and an audit judges its old decisions by it again. What evidence does not stand
// behind is not even read.
import type { KeyObject } from "node:crypto";
import { type Check, check, HoldfastError } from "@holdfast/core";
import { allNotPerformed, type NitroClaims } from "@holdfast/evidence";
import { exposedTo, type Policy, parsePolicy, policyHash } from "@holdfast/policy";
import {
  judgePlatform,
  PLATFORM_CHECKS,
  type PlatformProof,
  type ProvenPlatform,
} from "../judge-platform.ts";
import { GRANT_CHECKS, judgeGrant, type ReleaseGrant } from "./judge-grant.ts";
import { parseReleaseRequest } from "./request.ts";

/** A request with its evidence, and what both are judged against. */
export interface ReleaseProof extends PlatformProof {
  /** Of the key, as the path names it. */
  readonly name: string;
  readonly request: Uint8Array;
  /** The terms of that key; undefined when there is none. */
  readonly grant: ReleaseGrant | undefined;
}

/** A keep that may have the key. */
export interface EntitledKeep extends ProvenPlatform {
  /** Whom the key is encrypted for. */
  readonly recipient: KeyObject;
  /** Lower-case hexadecimal. */
  readonly policyHash: string;
}

/** The outcome: every check, and who may have the key when all passed that count. */
export interface ReleaseVerdict {
  readonly checks: readonly Check[];
  readonly entitled: EntitledKeep | undefined;
  /** Whether authentic evidence stands behind the request, which was read then, whatever it asks for. */
  readonly isBound: boolean;
  /** What the evidence says; undefined unless it is authentic. */
  readonly claims: NitroClaims | undefined;
}

/** The check that the request itself could be read. */
export const REQUEST_CHECK = "release.request";

/** The checks of the request, in order; those of the grant follow. */
const REQUEST_CHECKS = [
  REQUEST_CHECK,
  "release.name",
  "release.policy",
  "release.debug",
  "release.input",
  "release.exposure",
] as const;

const LONGEST_DETAIL = 500;

/** Every check of a release that this judges by, in order. */
export const RELEASE_CHECKS: readonly string[] = [
  ...PLATFORM_CHECKS,
  ...REQUEST_CHECKS,
  ...GRANT_CHECKS,
];

/** Judges a request. Never throws for a bad one. */
export async function judgeRelease(proof: ReleaseProof): Promise<ReleaseVerdict> {
  const digest = await proof.crypto.digest("SHA-256", proof.request);
  const { checks, proven, bound, claims } = await judgePlatform(proof, digest);
  if (bound === undefined) {
    return { checks: withUnread(checks), entitled: undefined, isBound: false, claims };
  }
  const asked = await judgeRequest(proof, bound, claims?.nonZeroPcrs["0"] ?? "");
  const { recipient, policyHash } = asked;
  const isGranted = asked.checks.every(({ outcome }) => outcome === "passed");
  return {
    checks: withUnread([...checks, ...asked.checks]),
    entitled:
      isGranted && proven !== undefined && recipient !== undefined && policyHash !== undefined
        ? { ...proven, recipient, policyHash }
        : undefined,
    isBound: true,
    claims,
  };
}

/**
 * The checks of a request that nobody kept, for no platform stood behind it.
 * @param requestDigest SHA-256 of the request
 */
export async function judgeUnread(
  proof: PlatformProof,
  requestDigest: Uint8Array,
): Promise<readonly Check[]> {
  return withUnread((await judgePlatform(proof, requestDigest)).checks);
}

interface AskedFor extends Partial<Pick<EntitledKeep, "recipient" | "policyHash">> {
  readonly checks: readonly Check[];
}

async function judgeRequest(
  proof: ReleaseProof,
  platform: ProvenPlatform,
  pcr0: string,
): Promise<AskedFor> {
  const read = attempt(REQUEST_CHECK, () => parseReleaseRequest(proof.request));
  if (read.value === undefined) return { checks: [read.check] };
  const { name, policyText, recipient } = read.value;
  const named = check("release.name", name === proof.name, `asks for key ${name}`);
  const agreed = attempt("release.policy", () => parsePolicy(policyText));
  const before = [read.check, named, agreed.check];
  if (agreed.value === undefined) return { checks: before };
  const policy = agreed.value;
  const hash = await policyHash(policyText);
  const keep = { ...platform, pcr0, policy, policyHash: hash };
  const granted = await judgeGrant(proof.grant, keep, proof);
  return {
    checks: [...before, ...policyChecks(policy, proof.name), ...granted],
    recipient,
    policyHash: hash,
  };
}

/** What a policy must say for any key to be released under it. */
function policyChecks(policy: Policy, name: string): Check[] {
  const inputs = policy.terms.inputs.filter(({ key }) => key === name);
  const exposed = inputs.find(({ path }) => exposedTo(policy, path).length > 0);
  return [
    check("release.debug", !policy.debug, `debug is ${policy.debug ? "on" : "off"}`),
    check("release.input", inputs.length > 0, `${inputs.length} inputs are sealed with this key`),
    check(
      "release.exposure",
      exposed === undefined,
      exposed === undefined
        ? "no identity may read or write what the key opens"
        : `an identity may read or write ${exposed.path}`,
    ),
  ];
}

/** A check that something can be read, and what was read. */
function attempt<T>(name: string, read: () => T): { readonly check: Check; readonly value?: T } {
  try {
    return { check: check(name, true, "can be read"), value: read() };
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return { check: check(name, false, thrown.message.slice(0, LONGEST_DETAIL)) };
  }
}

/** All checks: those that an earlier one stood before are named, too. */
function withUnread(made: readonly Check[]): Check[] {
  const rest = RELEASE_CHECKS.slice(made.length);
  return [...made, ...allNotPerformed(rest, "what it looks at was not to be read")];
}
