// The checks of a Nitro document beside its path to a trusted root, one function each.
import {
  type Certificate,
  type Check,
  type CryptoPort,
  check,
  equalBytes,
  notPerformed,
  toHex,
} from "@holdfast/core";
import { COSE_ALGORITHM, isSign1By } from "../cose/sign1.ts";
import { isNitroDebug, isZero } from "./claims.ts";
import type { NitroDocument } from "./document.ts";
import type { Binding, NitroRequest } from "./request.ts";

const HOUR = 60 * 60 * 1000;
/** How far the clocks of verifier and platform may differ. */
const SKEW = 5 * 60 * 1000;

/** The headers: ES384 in the protected one, nothing else in either. */
export function headersCheck({ message }: NitroDocument): Check {
  const es384 = message.algorithm === COSE_ALGORITHM.es384;
  const alone = message.protectedHeader.entries.length === 1;
  const bare = message.unprotectedHeader.entries.length === 0;
  return check(
    "nitro.headers",
    es384 && alone && bare,
    es384 && alone && bare
      ? "the protected header says ES384 and nothing else"
      : `algorithm ${message.algorithm}, ${message.protectedHeader.entries.length} protected and ${message.unprotectedHeader.entries.length} unprotected entries; ES384 (-35) alone expected`,
  );
}

/** The algorithms of the platform: P-384 with SHA-384 throughout. */
export function algorithmsCheck({ leaf, bundle }: NitroDocument): Check {
  const other = [leaf, ...bundle].find(
    ({ key, algorithm }) =>
      key.kind !== "ec" ||
      key.curve !== "P-384" ||
      algorithm.kind !== "ecdsa" ||
      algorithm.hash !== "SHA-384",
  );
  return check(
    "nitro.algorithms",
    other === undefined,
    other === undefined
      ? "all keys are P-384, all certificates signed with SHA-384"
      : `${other.subject.text}: not a P-384 key with a SHA-384 signature`,
  );
}

/** The leaf: may sign and is no CA, said by the certificate itself. */
export function leafCheck(leaf: Certificate): Check {
  const fits = !leaf.isCa && leaf.keyUsage?.has("digitalSignature") === true;
  return check(
    "nitro.leaf",
    fits,
    fits ? "may sign, is not a CA" : `${leaf.subject.text}: digitalSignature and no CA expected`,
  );
}

/** The signature of the document, by the leaf's key. */
export async function signatureCheck(document: NitroDocument, crypto: CryptoPort): Promise<Check> {
  const { leaf, message } = document;
  const holds = await isSign1By(message, leaf.spki, leaf.key, crypto);
  return check(
    "nitro.signature",
    holds,
    holds ? "the leaf certificate's key signed the document" : "the document's signature is wrong",
  );
}

/** The time the document says it was made at. */
export function timeCheck({ timestamp }: NitroDocument, at: Date, request: NitroRequest): Check {
  const name = "nitro.time";
  const made = new Date(timestamp);
  if (timestamp === 0 || Number.isNaN(made.getTime())) {
    return check(name, false, `timestamp ${timestamp} is no time`);
  }
  if (request.at === "document") {
    return notPerformed(name, `judged at the document's own time, ${made.toISOString()}`);
  }
  const age = at.getTime() - timestamp;
  const most = request.maximumAge ?? 3 * HOUR;
  return check(
    name,
    age <= most && age >= -SKEW,
    `made at ${made.toISOString()}, judged at ${at.toISOString()}, at most ${most / 1000} s old expected`,
  );
}

/** Debug mode, which the caller may allow. */
export function debugCheck(document: NitroDocument, allowed: boolean): Check {
  const debug = isNitroDebug(document);
  if (!debug) return check("nitro.debug", true, "PCR0 to 2 are not all zero");
  return check(
    "nitro.debug",
    allowed,
    allowed
      ? "debug mode, which the caller allows"
      : "PCR0 to 2 are zero: the enclave runs in debug mode, its console is open to the host",
  );
}

/** The PCRs that the caller pins. */
export function pcrsCheck({ pcrs }: NitroDocument, expected: NitroRequest["pcrs"]): Check {
  const name = "nitro.pcrs";
  if (expected === "waived") return notPerformed(name, "no PCR values were asked for");
  if (expected.size === 0) return check(name, false, "an empty set of PCR values was asked for");
  for (const [index, wanted] of expected) {
    const found = pcrs.get(index);
    // A pinned PCR that is absent, or pinned to nothing, must not pass.
    if (wanted.length === 0 || isZero(wanted)) {
      return check(name, false, `PCR${index}: pinned to no value`);
    }
    if (found === undefined) return check(name, false, `PCR${index}: absent`);
    if (!equalBytes(found, wanted)) {
      return check(name, false, `PCR${index}: ${toHex(found)}, ${toHex(wanted)} expected`);
    }
  }
  return check(
    name,
    true,
    `${[...expected.keys()].map((index) => `PCR${index}`).join(", ")} equal`,
  );
}

/** A value that the document must carry. */
export function bindingCheck(name: string, found: Uint8Array | undefined, wanted: Binding): Check {
  if (wanted === "waived") return notPerformed(name, "no value was asked for");
  if (found === undefined) return check(name, false, "the document carries none");
  const equal = wanted.length > 0 && equalBytes(found, wanted);
  return check(
    name,
    equal,
    equal ? "equals the value asked for" : `${toHex(found)}, ${toHex(wanted)} expected`,
  );
}
