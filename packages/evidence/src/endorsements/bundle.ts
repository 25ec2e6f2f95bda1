// Vendors' documents in one file, to be carried to where no vendor can be asked: canonical JSON (RFC 8785) with the SHA-256 of
// each item and of the whole. The digests show damage, not forgery: every document is verified up to a pinned root when it is
// used, as it would be on its own. Keys are enrolled by people, so none stands in a bundle.
import {
  type CryptoPort,
  canonicalJson,
  fromBase64,
  fromText,
  HoldfastError,
  type JsonValue,
  messageOf,
  toBase64,
  toHex,
  toText,
} from "@holdfast/core";
import { unusable } from "../errors.ts";
import { asObject, type JsonObject, textOf } from "../json/members.ts";
import type { Endorsements } from "./endorsements.ts";
import {
  type EndorsementFile,
  MAXIMUM_ENDORSEMENT,
  MAXIMUM_ENDORSEMENTS,
  readEndorsements,
} from "./read.ts";

/** What stands in a bundle. */
export type BundleKind = "certificate" | "revocation-list" | "intel-document";

/** A document of a bundle, not verified. */
export interface BundleItem {
  readonly kind: BundleKind;
  /** What it is about, for people. */
  readonly what: string;
  /** Of its bytes, lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** A bundle, read. */
export interface CollateralBundle {
  readonly made: Date;
  readonly items: readonly BundleItem[];
}

const FORMAT = "holdfast-collateral";
const VERSION = 1;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** How the canonical text of every bundle starts. */
const START = fromText(`{"format":"${FORMAT}",`);

/** Whether bytes start as a bundle does. */
export function isCollateralBundle(bytes: Uint8Array): boolean {
  return START.every((byte, index) => bytes[index] === byte);
}

/** The documents of endorsements, each once, in an order that does not depend on where they came from. */
export async function bundleItems(
  { certificates, revocationLists, intel }: Endorsements,
  crypto: CryptoPort,
): Promise<BundleItem[]> {
  const documents: Omit<BundleItem, "sha256">[] = [
    ...certificates.map(({ subject, der }) => ({
      kind: "certificate" as const,
      what: subject.text,
      bytes: der,
    })),
    ...revocationLists.map(({ issuer, thisUpdate, der }) => ({
      kind: "revocation-list" as const,
      what: `${issuer.text}, ${thisUpdate.toISOString()}`,
      bytes: der,
    })),
    ...intel.map(({ text, signature }) => ({
      kind: "intel-document" as const,
      what: titleOf(text),
      bytes: fromText(canonicalJson({ tcb_info: text, tcb_info_signature: toHex(signature) })),
    })),
  ];
  const byDigest = new Map<string, BundleItem>();
  for (const document of documents) {
    const sha256 = await digestOf(document.bytes, crypto);
    byDigest.set(sha256, { ...document, sha256 });
  }
  return [...byDigest.values()].toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}

/**
 * The text of a bundle.
 * @throws EvidenceError ENDORSEMENT_UNUSABLE for more than a bundle holds
 */
export async function encodeCollateralBundle(
  { made, items }: CollateralBundle,
  crypto: CryptoPort,
): Promise<string> {
  const body = {
    format: FORMAT,
    version: VERSION,
    made: made.toISOString(),
    items: items.map(({ bytes, ...item }) => ({ ...item, bytes: toBase64(bytes) })),
  };
  const sha256 = await digestOf(fromText(canonicalJson(body)), crypto);
  const text = canonicalJson({ ...body, sha256 });
  if (text.length > MAXIMUM_ENDORSEMENT || items.length > MAXIMUM_ENDORSEMENTS) {
    throw unusable(`a bundle of ${items.length} documents, ${text.length} bytes, is too large`);
  }
  return text;
}

/**
 * Reads a bundle, and holds every digest against what it is of.
 * @throws EvidenceError ENDORSEMENT_UNUSABLE
 */
export async function parseCollateralBundle(
  input: Uint8Array,
  crypto: CryptoPort,
): Promise<CollateralBundle> {
  if (input.length > MAXIMUM_ENDORSEMENT) throw unusable(`a bundle of ${input.length} bytes`);
  const { sha256, ...body } = canonicalObject(input);
  if (body["format"] !== FORMAT || body["version"] !== VERSION) {
    throw unusable(`a bundle of ${FORMAT}, version ${VERSION}, is expected`);
  }
  const digest = await digestOf(fromText(canonicalJson(body as JsonObjectValue)), crypto);
  if (sha256 !== digest) throw unusable("the bundle is damaged: its SHA-256 is another");
  const made = textOf(body, "made");
  if (!TIME.test(made)) throw unusable("made: a time is expected");
  const { items } = body;
  if (!Array.isArray(items) || items.length > MAXIMUM_ENDORSEMENTS) {
    throw unusable(`items: at most ${MAXIMUM_ENDORSEMENTS} are expected`);
  }
  const read: BundleItem[] = [];
  for (const [index, item] of items.entries()) {
    read.push(await itemOf(asObject(item, `items[${index}]`), crypto));
  }
  return { made: new Date(made), items: read };
}

/**
 * Files with every bundle among them replaced by what it holds.
 * @returns the files, and bundles that are damaged, each with its fault
 */
export async function unpackBundles(
  files: readonly EndorsementFile[],
  crypto: CryptoPort,
): Promise<{
  readonly files: readonly EndorsementFile[];
  readonly damaged: readonly { readonly name: string; readonly reason: string }[];
}> {
  const unpacked: EndorsementFile[] = [];
  const damaged: { name: string; reason: string }[] = [];
  for (const file of files) {
    if (!isCollateralBundle(file.bytes)) {
      unpacked.push(file);
      continue;
    }
    try {
      const { items } = await parseCollateralBundle(file.bytes, crypto);
      for (const { sha256, bytes } of items) {
        unpacked.push({ name: `${file.name}: ${sha256}`, bytes });
      }
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      damaged.push({ name: file.name, reason: messageOf(thrown) });
    }
  }
  return { files: unpacked, damaged };
}

type JsonObjectValue = { readonly [name: string]: JsonValue };

/** One text for one content: anything but the canonical text is refused. */
function canonicalObject(input: Uint8Array): JsonObject {
  let value: JsonObject;
  let text: string;
  try {
    text = toText(input);
    value = asObject(JSON.parse(text), "bundle");
  } catch (cause) {
    throw unusable(`the bundle can't be read: ${messageOf(cause)}`);
  }
  if (canonicalJson(value as JsonObjectValue) !== text) {
    throw unusable("the bundle is not canonical JSON");
  }
  return value;
}

async function itemOf(item: JsonObject, crypto: CryptoPort): Promise<BundleItem> {
  const { kind, what, sha256, bytes: encoded } = item;
  if (typeof what !== "string" || typeof sha256 !== "string" || typeof encoded !== "string") {
    throw unusable("an item of the bundle lacks a member");
  }
  const bytes = fromBase64(encoded);
  if ((await digestOf(bytes, crypto)) !== sha256) throw unusable(`${what}: its SHA-256 is another`);
  const { keys, ignored, ...found } = readEndorsements([{ name: what, bytes }]);
  const [fault] = ignored;
  if (fault !== undefined) throw unusable(`${what}: ${fault.reason}`);
  if (keys.length > 0) throw unusable(`${what}: a key; keys are enrolled, not bundled`);
  const [made] = await bundleItems({ ...found, keys, ignored }, crypto);
  if (made === undefined || made.kind !== kind || made.sha256 !== sha256) {
    throw unusable(`${what}: not one ${String(kind)}`);
  }
  return { kind: made.kind, what, sha256, bytes };
}

/** Members that tell Intel's documents from each other. */
function titleOf(text: string): string {
  let members: JsonObject;
  try {
    members = asObject(JSON.parse(text), "document");
  } catch {
    // Nothing that Intel signed; it is judged when it is used.
    return "unknown document";
  }
  const named = ["id", "fmspc", "issueDate"].flatMap((name) => {
    const value = members[name];
    return typeof value === "string" ? [value] : [];
  });
  return named.join(", ");
}

async function digestOf(bytes: Uint8Array, crypto: CryptoPort): Promise<string> {
  return toHex(await crypto.digest("SHA-256", bytes));
}
