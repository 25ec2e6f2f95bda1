// What a decision was made with besides its evidence: every endorsement and every root, and a request that is long, kept beside
// the log so that the decision can be made again from there alone. Each document is kept under its SHA-256, once, however many
// decisions rest on it; a list of them is a document too, and a decision names its digest. The log's chain of hashes so reaches
// everything.
import {
  type Certificate,
  type CryptoPort,
  canonicalJson,
  fromBase64,
  fromHex,
  fromText,
  parseCertificate,
  parseRevocationList,
  toBase64,
  toHex,
  toText,
} from "@holdfast/core";
import type { Endorsements } from "../endorsements/endorsements.ts";
import type { IntelDocument } from "../endorsements/intel-document.ts";
import { keyOfSpki, type TrustedKey } from "../endorsements/trusted-key.ts";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject, jsonObject } from "../json/members.ts";

/** What a decision rests on. */
export interface DecisionBasis {
  readonly endorsements: Endorsements;
  /** Roots that were trusted beside the vendors' own. */
  readonly anchors: readonly Certificate[];
  /** What was asked for, where it is too long for the log. */
  readonly request?: Uint8Array;
}

/** A document under its digest. */
export interface KeptDocument {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** The fact of a decision that names the list. */
export const BASIS_FACT = "basis";
/** The fact of a decision whose documents were too much to keep. */
export const BASIS_PASSED_OVER = "basis_passed_over";
/** The fact of a decision that has the SHA-256 of the request for a key, whether or not the request was kept. */
export const REQUEST_FACT = "request_sha256";
const MOST = 4096;
const SHA256 = /^[0-9a-f]{64}$/;

/** The folder of a log's documents, beside it. */
export function basisFolderOf(log: string): string {
  return `${log.replace(/\.jsonl$/, "")}.basis`;
}

/**
 * The documents of a basis, the list of them last.
 * @returns the list's digest, and every document
 */
export async function encodeBasis(
  { endorsements, anchors, request }: DecisionBasis,
  crypto: CryptoPort,
): Promise<{ readonly digest: string; readonly documents: readonly KeptDocument[] }> {
  const { certificates, revocationLists, intel, keys, parts } = endorsements;
  const kept: [kind: string, source: object, bytes: () => Uint8Array, name?: string][] = [
    ...anchors.map((each) => entry("anchor", each, () => each.der)),
    ...certificates.map((each) => entry("certificate", each, () => each.der)),
    ...revocationLists.map((each) => entry("list", each, () => each.der)),
    ...intel.map((each) => entry("intel", each, () => encodeIntel(each))),
    ...keys.map((each) => entry("key", each, () => encodeKey(each))),
    ...parts.map((each) => entry("part", each, () => each.bytes, each.name)),
    ...(request === undefined ? [] : [entry("request", request, () => request)]),
  ];
  const documents = new Map<string, KeptDocument>();
  const list = [];
  for (const [kind, source, bytes, name] of kept) {
    const document = await documentOf(source, bytes, crypto);
    documents.set(document.sha256, document);
    list.push({ kind, sha256: document.sha256, ...(name === undefined ? {} : { name }) });
  }
  const text = fromText(canonicalJson({ documents: list }));
  const digest = toHex(await crypto.digest("SHA-256", text));
  return { digest, documents: [...documents.values(), { sha256: digest, bytes: text }] };
}

/**
 * Reads a basis back, in the order it had.
 * @param read answers a document by its digest; undefined when it is not there
 * @throws EvidenceError EVIDENCE_MALFORMED for one that was changed, or is missing; errors of what can't be read
 */
export async function readBasis(
  digest: string,
  read: (sha256: string) => Promise<Uint8Array | undefined>,
  crypto: CryptoPort,
): Promise<DecisionBasis> {
  const fetch = async (sha256: string): Promise<Uint8Array> => {
    const bytes = SHA256.test(sha256) ? await read(sha256) : undefined;
    if (bytes === undefined) throw malformed(`document ${sha256} is not beside the log`);
    if (toHex(await crypto.digest("SHA-256", bytes)) !== sha256) {
      throw malformed(`document ${sha256} was changed`);
    }
    return bytes;
  };
  const { documents } = jsonObject(toText(await fetch(digest)));
  if (!Array.isArray(documents) || documents.length > MOST) throw malformed("basis: a list");
  const found = {
    anchor: [] as Certificate[],
    certificate: [] as Certificate[],
    list: [] as Endorsements["revocationLists"][number][],
    intel: [] as IntelDocument[],
    key: [] as TrustedKey[],
    part: [] as Endorsements["parts"][number][],
    request: [] as Uint8Array[],
  };
  for (const each of documents) {
    const { kind, sha256, name } = asObject(each, "basis");
    const bytes = await fetch(String(sha256));
    switch (kind) {
      case "anchor":
      case "certificate":
        found[kind].push(parseCertificate(bytes));
        break;
      case "list":
        found.list.push(parseRevocationList(bytes));
        break;
      case "intel":
        found.intel.push(decodeIntel(jsonObject(toText(bytes))));
        break;
      case "key":
        found.key.push(decodeKey(jsonObject(toText(bytes))));
        break;
      case "part":
        found.part.push({ name: String(name), bytes });
        break;
      case "request":
        found.request.push(bytes);
        break;
      default:
        throw malformed(`basis: ${String(kind)} is not known`);
    }
  }
  const [request] = found.request;
  return {
    ...(request === undefined ? {} : { request }),
    anchors: found.anchor,
    endorsements: {
      certificates: found.certificate,
      revocationLists: found.list,
      intel: found.intel,
      keys: found.key,
      parts: found.part,
      ignored: [],
    },
  };
}

function entry(
  kind: string,
  source: object,
  bytes: () => Uint8Array,
  name?: string,
): [kind: string, source: object, bytes: () => Uint8Array, name?: string] {
  return name === undefined ? [kind, source, bytes] : [kind, source, bytes, name];
}

/** Documents by what they were made of: a service judges with the same ones again and again. */
const KNOWN = new WeakMap<object, KeptDocument>();

async function documentOf(
  source: object,
  encode: () => Uint8Array,
  crypto: CryptoPort,
): Promise<KeptDocument> {
  const known = KNOWN.get(source);
  if (known !== undefined) return known;
  const bytes = encode();
  const document = { sha256: toHex(await crypto.digest("SHA-256", bytes)), bytes };
  KNOWN.set(source, document);
  return document;
}

function encodeIntel({ text, signature }: IntelDocument): Uint8Array {
  return fromText(canonicalJson({ text, signature: toHex(signature) }));
}

function decodeIntel({ text, signature }: JsonObject): IntelDocument {
  if (typeof text !== "string" || typeof signature !== "string") throw malformed("basis: intel");
  return { text, signature: fromHex(signature) };
}

function encodeKey({ name, spki }: TrustedKey): Uint8Array {
  return fromText(canonicalJson({ name: name ?? null, spki: toBase64(spki) }));
}

function decodeKey({ name, spki }: JsonObject): TrustedKey {
  if (typeof spki !== "string") throw malformed("basis: key");
  const key = keyOfSpki(fromBase64(spki));
  return typeof name === "string" ? { ...key, name } : key;
}
