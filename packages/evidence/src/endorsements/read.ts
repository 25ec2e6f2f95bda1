// Reads endorsement files, each told apart by its content: PEM with certificates, lists and keys; DER; JSON collateral of
// Intel in the forms in use; JSON web keys. What can't be used is named with a reason, never silently dropped.
import {
  type Certificate,
  derChildren,
  fromHex,
  fromPem,
  HoldfastError,
  messageOf,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
  readDer,
  toText,
} from "@holdfast/core";
import { unusable } from "../errors.ts";
import type { Endorsements, IgnoredEndorsement } from "./endorsements.ts";
import type { IntelDocument } from "./intel-document.ts";
import { readJsonEndorsement } from "./read-json.ts";
import { keyOfSpki, type TrustedKey } from "./trusted-key.ts";

/** A file with endorsements. */
export interface EndorsementFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What one file gave. */
export interface ReadEndorsement {
  readonly certificates?: readonly Certificate[];
  readonly revocationLists?: readonly RevocationList[];
  readonly intel?: readonly IntelDocument[];
  readonly keys?: readonly TrustedKey[];
}

/** The longest file read, in bytes, and the most files. */
export const MAXIMUM_ENDORSEMENT: number = 8 * 1024 * 1024;
export const MAXIMUM_ENDORSEMENTS = 1024;
const MAXIMUM_PART = 64 * 1024;
const MAXIMUM_PARTS = 64;
const JSON_START = /^\s*[{[]/;

/** Reads files; those that hold nothing usable are listed as ignored. */
export function readEndorsements(files: readonly EndorsementFile[]): Endorsements {
  const ignored: IgnoredEndorsement[] = [];
  const read: ReadEndorsement[] = [];
  const parts: EndorsementFile[] = [];
  for (const [index, { name, bytes }] of files.entries()) {
    if (index >= MAXIMUM_ENDORSEMENTS) {
      ignored.push({ name, reason: `over ${MAXIMUM_ENDORSEMENTS} files` });
      continue;
    }
    try {
      read.push(readOne(bytes));
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      ignored.push({ name, reason: messageOf(thrown) });
      if (bytes.length <= MAXIMUM_PART && parts.length < MAXIMUM_PARTS) parts.push({ name, bytes });
    }
  }
  return {
    certificates: read.flatMap(({ certificates }) => certificates ?? []),
    revocationLists: read.flatMap(({ revocationLists }) => revocationLists ?? []),
    intel: read.flatMap(({ intel }) => intel ?? []),
    keys: read.flatMap(({ keys }) => keys ?? []),
    parts,
    ignored,
  };
}

/** Several sets as one. */
export function mergeEndorsements(...sets: readonly Endorsements[]): Endorsements {
  return {
    certificates: sets.flatMap(({ certificates }) => certificates),
    revocationLists: sets.flatMap(({ revocationLists }) => revocationLists),
    intel: sets.flatMap(({ intel }) => intel),
    keys: sets.flatMap(({ keys }) => keys),
    parts: sets.flatMap(({ parts }) => parts),
    ignored: sets.flatMap(({ ignored }) => ignored),
  };
}

/**
 * Reads one file.
 * @throws EvidenceError ENDORSEMENT_UNUSABLE, and others of what it holds
 */
export function readOne(bytes: Uint8Array): ReadEndorsement {
  if (bytes.length > MAXIMUM_ENDORSEMENT) {
    throw unusable(`${bytes.length} bytes, at most ${MAXIMUM_ENDORSEMENT} expected`);
  }
  if (bytes[0] === 0x30) return readDerEndorsement(bytes);
  const text = toText(bytes);
  // First JSON: collateral carries PEM as text inside.
  if (JSON_START.test(text)) return readJsonEndorsement(text);
  if (text.includes("-----BEGIN ")) return readPemEndorsement(text);
  if (/^\s*30[0-9a-fA-F]+\s*$/.test(text)) return readDerEndorsement(fromHex(text.trim()));
  throw unusable("no certificate, revocation list, key or collateral");
}

/** A certificate, a revocation list, or a sequence of certificates (PkiPath, X.509 section 9.3). */
export function readDerEndorsement(der: Uint8Array): ReadEndorsement {
  const faults: string[] = [];
  for (const read of DER_FORMS) {
    try {
      return read(der);
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      faults.push(thrown.message);
    }
  }
  throw unusable(`neither certificate (${faults[0]}) nor list (${faults[1]})`);
}

const DER_FORMS: readonly ((der: Uint8Array) => ReadEndorsement)[] = [
  (der) => ({ certificates: [parseCertificate(der)] }),
  (der) => ({ revocationLists: [parseRevocationList(der)] }),
  (der) => {
    const elements = derChildren(readDer(der, MAXIMUM_PART));
    if (elements.length === 0) throw unusable("an empty sequence");
    return { certificates: elements.map(({ bytes }) => parseCertificate(bytes)) };
  },
];

/** Every certificate, revocation list and public key of a PEM text. */
export function readPemEndorsement(text: string): ReadEndorsement {
  const blocks = (label: string): Uint8Array[] =>
    text.includes(`-----BEGIN ${label}-----`) ? fromPem(label, text) : [];
  const found = {
    certificates: blocks("CERTIFICATE").map((der) => parseCertificate(der)),
    revocationLists: blocks("X509 CRL").map((der) => parseRevocationList(der)),
    keys: blocks("PUBLIC KEY").map((spki) => keyOfSpki(spki)),
  };
  if (Object.values(found).every(({ length }) => length === 0)) {
    throw unusable("PEM without certificate, revocation list or public key");
  }
  return found;
}
