// Warnings: policies that are valid, and yet say more, or less, than their author is likely to mean.
import { type Certificate, fromPem, parseCertificate, toHex } from "@holdfast/core";
import { exposedTo } from "./exposed-to.ts";
import { lintAccess } from "./lint-access.ts";
import type { Policy } from "./policy.ts";
import { enumerate, principalsOf } from "./principals.ts";

/** A warning: a permanent code, where it is (JSON pointer), and a sentence with what to do. */
export interface Warning {
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

const DAY = 24 * 60 * 60 * 1000;
const SOON = 30 * DAY;

/**
 * Warns of a policy.
 * @param options.at the time to judge dates at
 */
export function lintPolicy(policy: Policy, options: { at: Date }): Warning[] {
  return [
    ...lintPlatform(policy),
    ...lintDates(policy, options.at),
    ...lintIdentities(policy),
    ...lintAccess(policy),
    ...lintTerms(policy),
  ];
}

function lintPlatform(policy: Policy): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, pointer: string, message: string) =>
    warnings.push({ code, pointer, message });
  if (Object.keys(policy.measurements).length === 0) {
    warn(
      "MEASUREMENT_MISSING",
      "/runtime_manager_hash_nitro",
      "no measurement is named, so no keep can prove itself: name the measurement of its build",
    );
  }
  if (policy.debug) {
    warn("DEBUG_ENABLED", "/debug", "debug is on: set it to false where data matters");
  }
  if (policy.enableClock) {
    warn(
      "CLOCK_ENABLED",
      "/enable_clock",
      "programs can read the clock: runs can't be repeated exactly, and times can carry secrets out",
    );
  }
  if (policy.ciphersuite.endsWith("CCM_8_SHA256")) {
    warn(
      "CIPHERSUITE_SHORT_TAG",
      "/ciphersuite",
      "tags of 8 bytes are forged more easily: use GCM",
    );
  }
  for (const member of policy.unknownMembers) {
    warn("MEMBER_IGNORED", `/${member}`, `nothing reads ${member}: what it promises is not kept`);
  }
  return warnings;
}

function lintDates(policy: Policy, at: Date): Warning[] {
  const authority = fromPem("CERTIFICATE", policy.attestation.certificatePem);
  return [
    ...lintEnd("POLICY", "/enclave_cert_expiry", "the policy", policy.certificateExpiry, at),
    ...policy.identities.flatMap(({ id, certificateDer }, index) =>
      lintCertificate(
        parseCertificate(certificateDer),
        `/identities/${index}/certificate`,
        `the certificate of identity ${id}`,
        at,
      ),
    ),
    ...authority.flatMap((der) =>
      lintCertificate(
        parseCertificate(der),
        "/proxy_service_cert",
        "the authority's certificate",
        at,
      ),
    ),
  ];
}

function lintCertificate(
  { notBefore, notAfter }: Certificate,
  pointer: string,
  what: string,
  at: Date,
): Warning[] {
  if (at < notBefore) {
    const message = `${what} is not valid before ${notBefore.toISOString()}`;
    return [{ code: "CERTIFICATE_NOT_YET_VALID", pointer, message }];
  }
  return lintEnd("CERTIFICATE", pointer, what, notAfter, at);
}

function lintEnd(area: string, pointer: string, what: string, end: Date, at: Date): Warning[] {
  const left = end.getTime() - at.getTime();
  const date = end.toISOString();
  if (left < 0) return [{ code: `${area}_EXPIRED`, pointer, message: `${what} ended at ${date}` }];
  if (left > SOON) return [];
  return [{ code: `${area}_EXPIRING`, pointer, message: `${what} ends at ${date}` }];
}

function lintIdentities(policy: Policy): Warning[] {
  const warnings: Warning[] = [];
  const keys = new Map<string, number>();
  if (policy.identities.length === 0) {
    const message = "there is no identity: nobody can talk to the keep";
    warnings.push({ code: "IDENTITIES_NONE", pointer: "/identities", message });
  }
  for (const [index, { id, certificateDer }] of policy.identities.entries()) {
    const pointer = `/identities/${index}/certificate`;
    const { spki, isCa } = parseCertificate(certificateDer);
    const first = keys.get(toHex(spki));
    if (first !== undefined) {
      const message = `identities ${first} and ${id} have the same key: who has one can be either`;
      warnings.push({ code: "IDENTITY_KEY_SHARED", pointer, message });
    }
    keys.set(toHex(spki), first ?? id);
    if (isCa) {
      const message = `identity ${id} is a certificate authority; what it issues is not let in`;
      warnings.push({ code: "IDENTITY_IS_AUTHORITY", pointer, message });
    }
  }
  for (const { kind, name, rights, pointer } of principalsOf(policy)) {
    if (kind === "identity" && rights.size === 0) {
      const message = `${name} may do nothing`;
      warnings.push({ code: "IDENTITY_IDLE", pointer: `${pointer}/file_rights`, message });
    }
  }
  return warnings;
}

function lintTerms(policy: Policy): Warning[] {
  return [...lintMemory(policy), ...lintInputs(policy), ...lintShutdown(policy)];
}

function lintInputs(policy: Policy): Warning[] {
  return policy.terms.inputs.flatMap(({ path, key }, index): Warning[] => {
    const ids = exposedTo(policy, path).map(({ id }) => id);
    if (key === undefined || ids.length === 0) return [];
    const who = `${ids.length === 1 ? "identity" : "identities"} ${enumerate(ids.map(String))}`;
    const message = `${who} may read or write ${path}: key ${key} is not released for such a policy`;
    return [{ code: "INPUT_EXPOSED", pointer: `/holdfast/inputs/${index}/path`, message }];
  });
}

/** A run is counted with all that it may write, beside its memory and the files. */
function lintMemory({ terms: { limits }, maxMemoryMib }: Policy): Warning[] {
  const least = maxMemoryMib + 2 * (limits.storageMib ?? maxMemoryMib);
  if (limits.memoryMib === undefined || limits.memoryMib > least) return [];
  const message = `a program that may take ${maxMemoryMib} MiB runs only with more than ${least} MiB for files and runs`;
  return [{ code: "MEMORY_TOO_SMALL", pointer: "/holdfast/limits/memory_mib", message }];
}

function lintShutdown({ terms, identities }: Policy): Warning[] {
  const pointer = "/holdfast/shutdown";
  if (terms.shutdown === undefined && identities.length > 1) {
    const message = `any of ${identities.length} identities may shut the keep down, data and all`;
    return [{ code: "SHUTDOWN_ANYONE", pointer, message }];
  }
  if (terms.shutdown?.length === 0) {
    const message = "nobody may shut the keep down; only its host can end it";
    return [{ code: "SHUTDOWN_NOBODY", pointer, message }];
  }
  return [];
}
