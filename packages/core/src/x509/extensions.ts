// Certificate extensions that path validation reads (RFC 5280 section 4.2.1); the rest stay as bytes.
import {
  contextTag,
  DerCursor,
  type DerNode,
  derChildren,
  expectTag,
  fault,
  readDer,
  TAG,
} from "../der/read.ts";
import { derBoolean, derNamedBits, derOid, derUnsigned } from "../der/values.ts";

/** OIDs of the extensions read here. */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  issuingDistributionPoint: "2.5.29.28",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

/** Names of the key usage bits, by bit number. */
export const KEY_USAGE = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** One key usage. */
export type KeyUsage = (typeof KEY_USAGE)[number];

/** An extension as it stands in the certificate. */
export interface Extension {
  readonly critical: boolean;
  /** Content of the OCTET STRING. */
  readonly value: Uint8Array;
}

/** Extensions by dotted OID. */
export type Extensions = ReadonlyMap<string, Extension>;

const MAXIMUM_EXTENSIONS = 64;

/** Reads an Extensions sequence; each OID at most once. */
export function parseExtensions(node: DerNode): Extensions {
  expectTag(node, TAG.sequence, "extensions");
  const nodes = derChildren(node);
  if (nodes.length > MAXIMUM_EXTENSIONS) throw fault(`${nodes.length} extensions`);
  const extensions = new Map<string, Extension>();
  for (const member of nodes) {
    const cursor = new DerCursor(member, "extension");
    const type = derOid(cursor.next("OID"), "extension");
    const flag = cursor.optional(TAG.boolean);
    const value = cursor.next("value", TAG.octetString).content;
    cursor.end();
    if (extensions.has(type)) throw fault(`extension ${type} stands twice`);
    extensions.set(type, {
      critical: flag !== undefined && derBoolean(flag, "extension"),
      value,
    });
  }
  return extensions;
}

/** Basic constraints; absent means not a CA. */
export function parseBasicConstraints(extensions: Extensions): {
  isCa: boolean;
  pathLength?: number;
} {
  const extension = extensions.get(EXTENSION.basicConstraints);
  if (extension === undefined) return { isCa: false };
  const cursor = new DerCursor(readDer(extension.value), "basicConstraints");
  const flag = cursor.optional(TAG.boolean);
  const length = cursor.optional(TAG.integer);
  cursor.end();
  const isCa = flag !== undefined && derBoolean(flag, "basicConstraints");
  if (length === undefined) return { isCa };
  return { isCa, pathLength: derUnsigned(length, "pathLenConstraint") };
}

/** Key usage; absent is undefined, which means no restriction. */
export function parseKeyUsage(extensions: Extensions): ReadonlySet<KeyUsage> | undefined {
  const extension = extensions.get(EXTENSION.keyUsage);
  if (extension === undefined) return undefined;
  const usages = new Set<KeyUsage>();
  // Intermediates of AMD write all eight bits; the meaning is the same.
  const bits = derNamedBits(readDer(extension.value), "keyUsage", { trailingZeros: true });
  for (const bit of bits) {
    const usage = KEY_USAGE[bit];
    if (usage !== undefined) usages.add(usage);
  }
  return usages;
}

/** Extended key usages as dotted OIDs; absent is undefined. */
export function parseExtendedKeyUsage(extensions: Extensions): ReadonlySet<string> | undefined {
  const extension = extensions.get(EXTENSION.extendedKeyUsage);
  if (extension === undefined) return undefined;
  const list = readDer(extension.value);
  expectTag(list, TAG.sequence, "extKeyUsage");
  return new Set(derChildren(list).map((node) => derOid(node, "extKeyUsage")));
}

/** Tag of an explicitly tagged extensions field in a certificate ([3]). */
export const CERTIFICATE_EXTENSIONS_TAG: number = contextTag(3, true);
