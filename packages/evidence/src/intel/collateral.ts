// Picks the document of Intel's provisioning service that a quote needs out of those supplied, and verifies it: signed
// text, signer, revocation, dates. The signature is over the text as it came, which is only then read for its meaning.
import {
  type Certificate,
  type Check,
  check,
  fromText,
  notPerformed,
  type RevocationList,
} from "@holdfast/core";
import type { IntelDocument } from "../endorsements/intel-document.ts";
import { EvidenceError } from "../errors.ts";
import { type FoundPath, findPath, holds } from "../judge/find-path.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { pathRevocation } from "../judge/revocation.ts";
import { intelRoot, isTcbSigner } from "./pck.ts";

/** A document that can be dated. */
interface Dated {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
}

/** A document with its checks; `document` is there only when all of them passed or await revocation lists. */
export interface JudgedDocument<T> {
  readonly checks: readonly Check[];
  readonly document: T | undefined;
  /** The signed text. */
  readonly bytes: Uint8Array | undefined;
  readonly signers: readonly Certificate[];
  readonly lists: readonly RevocationList[];
}

/** Checks of a document, in order, under its area: `tcb-info` or `qe-identity`. */
export function documentCheckNames(area: string): string[] {
  return ["supplied", "signature", "signer", "revocation", "dates"].map(
    (name) => `${area}.${name}`,
  );
}

/**
 * Judges the documents of a kind.
 * @param wanted whether a document is the one that is needed; when several are, the one that holds at the time
 */
export async function judgeDocument<T extends Dated>(
  area: string,
  what: string,
  parse: (text: string) => T,
  wanted: (document: T) => boolean,
  request: JudgeRequest,
): Promise<JudgedDocument<T>> {
  const found = request.endorsements.intel.flatMap((source) => read(source, parse));
  const suited = found.filter(({ document }) => wanted(document));
  const timely = suited.find(({ document }) => isTimely(document, request.at));
  const chosen = timely ?? suited[0];
  if (chosen === undefined) return missing(area, what, found.length);
  const { source, document } = chosen;
  const signer = await signerOf(source, request);
  const dates = check(
    `${area}.dates`,
    isTimely(document, request.at),
    `valid from ${document.issueDate.toISOString()} to ${document.nextUpdate.toISOString()}`,
  );
  const revocation =
    signer === undefined
      ? { check: notPerformed(`${area}.revocation`, "there is no signer to check"), lists: [] }
      : await pathRevocation(`${area}.revocation`, signer.path, request);
  const checks = [
    check(`${area}.supplied`, true, `${what} of ${document.issueDate.toISOString()}`),
    signatureCheck(area, what, signer),
    signerCheck(area, signer),
    revocation.check,
    dates,
  ];
  const usable = checks.every(
    ({ name, outcome }) =>
      outcome === "passed" || (name.endsWith(".revocation") && outcome !== "failed"),
  );
  return {
    checks,
    document: usable ? document : undefined,
    bytes: usable ? bytesOf(source) : undefined,
    signers: signer?.path.chain ?? [],
    lists: revocation.lists,
  };
}

interface Signer {
  readonly signed: boolean;
  readonly path: FoundPath;
}

/** Signed texts in UTF-8: the same bytes each time, so that what was found out about them is found again. */
const BYTES = new WeakMap<IntelDocument, Uint8Array>();

function bytesOf(source: IntelDocument): Uint8Array {
  const bytes = BYTES.get(source) ?? fromText(source.text);
  BYTES.set(source, bytes);
  return bytes;
}

/** Documents that were read before, by reader: collateral is judged with one quote after another. */
const READ = new WeakMap<IntelDocument, Map<unknown, unknown>>();

function read<T>(
  source: IntelDocument,
  parse: (text: string) => T,
): { source: IntelDocument; document: T }[] {
  const before = READ.get(source) ?? new Map<unknown, unknown>();
  READ.set(source, before);
  if (!before.has(parse)) before.set(parse, readNow(source, parse));
  const document = before.get(parse) as T | undefined;
  return document === undefined ? [] : [{ source, document }];
}

function readNow<T>(source: IntelDocument, parse: (text: string) => T): T | undefined {
  try {
    return parse(source.text);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    // Another kind of document, or one that can't be read: either way it is not the one that is needed.
    return undefined;
  }
}

function isTimely({ issueDate, nextUpdate }: Dated, at: Date): boolean {
  return at >= issueDate && at <= nextUpdate;
}

function missing<T>(area: string, what: string, others: number): JudgedDocument<T> {
  const why = `no ${what} for this platform was supplied`;
  const open = unjudgedDocument<T>(area, why);
  if (others === 0) return open;
  const [, ...rest] = open.checks;
  const failed = check(`${area}.supplied`, false, `${why}, but ${others} of others`);
  return { ...open, checks: [failed, ...rest] };
}

/** A document that nobody could look for. */
export function unjudgedDocument<T>(area: string, why: string): JudgedDocument<T> {
  return {
    checks: documentCheckNames(area).map((name) => notPerformed(name, why)),
    document: undefined,
    bytes: undefined,
    signers: [],
    lists: [],
  };
}

/** The signer whose key made the signature, preferably with a path that holds; else any, so that the fault is found. */
async function signerOf(source: IntelDocument, request: JudgeRequest): Promise<Signer | undefined> {
  let best: Signer | undefined;
  // A set names the signer with either document; a certificate that was read twice is one object.
  for (const certificate of new Set(request.endorsements.certificates.filter(isTcbSigner))) {
    const signed = await isSigned(source, certificate, request);
    if (!signed && best !== undefined) continue;
    if (best?.signed && holds(best.path)) break;
    const path = await findPath({
      leaf: certificate,
      others: request.endorsements.certificates,
      anchors: [intelRoot(), ...(request.anchors ?? [])],
      at: request.at,
      crypto: request.crypto,
    });
    if (best === undefined || (signed && (!best.signed || holds(path)))) best = { signed, path };
  }
  return best;
}

async function isSigned(
  source: IntelDocument,
  { spki, key }: Certificate,
  { crypto }: JudgeRequest,
): Promise<boolean> {
  if (key.kind !== "ec" || key.curve !== "P-256") return false;
  const scheme = { kind: "ecdsa", curve: "P-256", hash: "SHA-256" } as const;
  return await crypto.verify(scheme, spki, source.signature, bytesOf(source));
}

function signatureCheck(area: string, what: string, signer: Signer | undefined): Check {
  const name = `${area}.signature`;
  if (signer === undefined) return notPerformed(name, "no TCB signing certificate was supplied");
  return check(
    name,
    signer.signed,
    signer.signed ? `the signature is over this very ${what}` : "the signature is wrong",
  );
}

function signerCheck(area: string, signer: Signer | undefined): Check {
  const name = `${area}.signer`;
  if (signer === undefined) return notPerformed(name, "no TCB signing certificate was supplied");
  const fault = signer.path.checks.find(({ outcome }) => outcome !== "passed");
  return check(
    name,
    fault === undefined,
    fault === undefined
      ? `${signer.path.chain[0]?.subject.text} under a trusted root`
      : `${fault.name}: ${fault.detail}`,
  );
}
