// The platform behind a quote: its PCK certificate, found and judged, and what its extension says.
import {
  type Certificate,
  type Check,
  check,
  notPerformed,
  type RevocationList,
  toHex,
} from "@holdfast/core";
import { EvidenceError } from "../errors.ts";
import type { FoundPath } from "../judge/find-path.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { isPck, type PckExtension, parsePckExtension } from "./pck.ts";
import { otherPlatform, platformNameOf } from "./platform-name.ts";
import { judgePckPath, PCK_CHECKS, pckPath } from "./platform-path.ts";
import type { Quote } from "./quote.ts";
import { qeSignatureCheck } from "./quoting-enclave.ts";

/** A platform as its certificate shows it. */
export interface Platform {
  readonly leaf: Certificate | undefined;
  readonly path: FoundPath | undefined;
  readonly extension: PckExtension | undefined;
  readonly checks: readonly Check[];
  readonly lists: readonly RevocationList[];
}

/** Judges the certificate of a platform: the one a quote carries, or one supplied. */
export async function judgePlatform(
  quote: Quote,
  carried: readonly Certificate[],
  request: JudgeRequest,
): Promise<Platform> {
  // Leaf first, save in samples of Intel's own.
  const leaf = carried.find(isPck) ?? carried[0] ?? (await suppliedPck(quote, request));
  if (leaf === undefined) {
    const why = "the quote carries no PCK certificate, and none that fits was supplied";
    return {
      leaf,
      path: undefined,
      extension: undefined,
      checks: [...PCK_CHECKS, "pck.extension"].map((name) => notPerformed(name, why)),
      lists: [],
    };
  }
  const path = await pckPath(leaf, carried, request);
  const { checks, lists } = await judgePckPath(path, request);
  try {
    const extension = parsePckExtension(leaf);
    const detail = `FMSPC ${toHex(extension.fmspc)}, PCEID ${toHex(extension.pceId)}`;
    const name = platformNameOf(quote.certification);
    const fault = name === undefined ? undefined : otherPlatform(name, extension);
    const judged = check("pck.extension", fault === undefined, fault ?? detail);
    return { leaf, path, extension, checks: [...checks, judged], lists };
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    const failed = check("pck.extension", false, thrown.message);
    return { leaf, path, extension: undefined, checks: [...checks, failed], lists };
  }
}

/** Of the PCK certificates supplied, the one whose key signed the quoting enclave's report; else the first. */
async function suppliedPck(quote: Quote, request: JudgeRequest): Promise<Certificate | undefined> {
  const candidates = request.endorsements.certificates.filter(isPck);
  for (const candidate of candidates) {
    const { outcome } = await qeSignatureCheck(quote, candidate, request);
    if (outcome === "passed") return candidate;
  }
  return candidates[0];
}
