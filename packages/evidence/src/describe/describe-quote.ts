// What a quote says, as it stands; about its platform, only when it carries the platform's certificate.
import type { Certificate } from "@holdfast/core";
import { EvidenceError } from "../errors.ts";
import {
  type IntelPlatformClaims,
  isIntelDebug,
  platformClaims,
  sgxClaims,
  tdxClaims,
} from "../intel/claims.ts";
import { parsePckExtension, pckAuthority } from "../intel/pck.ts";
import { certificatesOf } from "../intel/platform-path.ts";
import { parseQuote, type Quote } from "../intel/quote.ts";
import type { IntelClaims } from "../intel/verify.ts";

/** Claims of a quote, and its certificates. */
export function describeQuote(input: Uint8Array): {
  claims: IntelClaims;
  certificates: readonly Certificate[];
} {
  const quote = parseQuote(input);
  const certificates = certificatesOf(quote.certification);
  const platform = platformOf(quote, certificates);
  const debug = isIntelDebug(quote);
  const claims =
    quote.body.kind === "sgx"
      ? sgxClaims(quote.body.report, platform, debug)
      : tdxClaims(quote.body.report, platform, debug);
  return { claims, certificates };
}

/** Without the certificate the platform's own claims are absent, whatever their type says: nothing rests on them. */
function platformOf(quote: Quote, [leaf, issuer]: readonly Certificate[]): IntelPlatformClaims {
  const own = {
    quoteVersion: quote.version,
    qeIsvSvn: quote.qeReport.isvSvn,
  } as IntelPlatformClaims;
  if (leaf === undefined) return own;
  try {
    const authority = issuer === undefined ? undefined : pckAuthority(issuer);
    return platformClaims(quote, parsePckExtension(leaf), authority ?? "processor");
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return own;
  }
}
