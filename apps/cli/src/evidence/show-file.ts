// `evidence show`: what a file says, judged by nothing. Evidence of any kind, and what comes beside evidence: certificates,
// revocation lists, keys, collateral, paravisor reports.
import { HoldfastError, toHex, webCrypto } from "@holdfast/core";
import {
  type Description,
  describeEvidence,
  type Endorsements,
  EvidenceError,
  type HclReport,
  isCollateralBundle,
  MAXIMUM_ENDORSEMENT,
  parseHclReport,
  readEndorsements,
} from "@holdfast/evidence";
import type { Context } from "../context.ts";
import { readSmallFile } from "../files.ts";
import { readBundle } from "./collateral-bundle.ts";
import { gatherEndorsements } from "./gather-files.ts";
import { tellClaims } from "./tell-claims.ts";
import { tellCollateral } from "./tell-collateral.ts";
import { TYPE_IN_WORDS } from "./type-names.ts";

/** Shows a file. */
export async function showFile(
  context: Context,
  path: string,
  options: { readonly endorsements?: readonly string[] },
): Promise<void> {
  const bytes = await readSmallFile(path, "file", MAXIMUM_ENDORSEMENT);
  if (isCollateralBundle(bytes)) {
    tellCollateral(context, "bundle", { ...(await readBundle(path)), path, ignored: [] });
    return;
  }
  const endorsements = await gatherEndorsements(options.endorsements ?? [], path);
  try {
    showEvidence(context, path, await describeEvidence(bytes, { crypto: webCrypto, endorsements }));
  } catch (thrown) {
    const unknown = thrown instanceof EvidenceError && thrown.code === "EVIDENCE_UNKNOWN";
    if (!unknown || !showOther(context, path, bytes)) throw thrown;
  }
}

function showEvidence({ terminal }: Context, path: string, description: Description): void {
  const { type, claims, debug, certificates } = description;
  terminal.line(`${path}: ${TYPE_IN_WORDS[type]}`);
  terminal.line(
    terminal.paint(
      "warn",
      "not judged: anybody can write such evidence; holdfast evidence verify judges it",
    ),
  );
  if (debug === true) terminal.line(terminal.paint("bad", "debug: its owner can look inside"));
  tellClaims(terminal, claims);
  for (const subject of certificates) terminal.line(`certificate: ${printable(subject)}`);
  terminal.result({
    ok: true,
    judged: false,
    type,
    debug: debug ?? null,
    claims,
    certificates,
  });
}

/** Shows what is no evidence, but comes beside it. */
function showOther(context: Context, path: string, bytes: Uint8Array): boolean {
  const hcl = readHcl(bytes);
  if (hcl !== undefined) {
    showClaims(context, path, "report of Azure's paravisor", {
      kind: hcl.kind,
      vmUniqueId: hcl.vmUniqueId,
      secureBoot: hcl.secureBoot,
      userData: hcl.userData,
      attestationKey: toHex(hcl.attestationKey.spki),
      claimsBytes: hcl.claimsBytes.length,
    });
    return true;
  }
  const found = readEndorsements([{ name: path, bytes }]);
  if (found.ignored.length > 0) return false;
  showClaims(context, path, "endorsements, which come beside evidence", endorsementClaims(found));
  return true;
}

function showClaims({ terminal }: Context, path: string, what: string, claims: object): void {
  terminal.line(`${path}: ${what}`);
  terminal.line(terminal.paint("warn", "not judged: it counts only under a trusted root"));
  tellClaims(terminal, claims);
  terminal.result({ ok: true, judged: false, type: "endorsement", what, claims });
}

function endorsementClaims(found: Endorsements): object {
  return {
    certificates: found.certificates.map(({ subject, issuer, notBefore, notAfter }) => ({
      subject: subject.text,
      issuer: issuer.text,
      validFrom: notBefore.toISOString(),
      validUntil: notAfter.toISOString(),
    })),
    revocationLists: found.revocationLists.map((list) => ({
      issuer: list.issuer.text,
      thisUpdate: list.thisUpdate.toISOString(),
      nextUpdate: list.nextUpdate.toISOString(),
      revoked: list.revoked.size,
    })),
    collateral: found.intel.map(({ text }) => collateralClaims(text)),
    keys: found.keys.map(({ name, spki }) => ({ name: name ?? null, key: toHex(spki) })),
  };
}

/** The members of collateral that tell it from others. */
function collateralClaims(text: string): object {
  const value: unknown = JSON.parse(text);
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const named = ["id", "fmspc", "issueDate", "nextUpdate", "tcbEvaluationDataNumber"];
  return Object.fromEntries(
    members.filter(([name, each]) => named.includes(name) && typeof each !== "object"),
  );
}

function readHcl(bytes: Uint8Array): HclReport | undefined {
  try {
    return parseHclReport(bytes);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return undefined;
  }
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}
