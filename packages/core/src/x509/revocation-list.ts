// Certificate revocation lists (RFC 5280 section 5). Full lists only: indirect and delta lists are refused.
import { sameBytes, toHex } from "../bytes.ts";
import { contextTag, DerCursor, derChildren, fault, readDer, TAG } from "../der/read.ts";
import { derIntegerBytes, derTime, derUnsigned } from "../der/values.ts";
import type { SignatureAlgorithm } from "./algorithm.ts";
import { outerAlgorithm, parseSigned, readingCertificate } from "./certificate.ts";
import { EXTENSION, type Extensions, parseExtensions } from "./extensions.ts";
import { type Name, parseName } from "./name.ts";

/** The longest list read, in bytes. */
export const MAXIMUM_REVOCATION_LIST = 8 * 1024 * 1024;

/** A revocation list, read once. */
export interface RevocationList {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Serial numbers in the form of `Certificate.serial`, with the time of revocation. */
  readonly revoked: ReadonlyMap<string, Date>;
}

const KNOWN_CRITICAL: ReadonlySet<string> = new Set([EXTENSION.issuingDistributionPoint]);

/**
 * Reads a revocation list.
 * @throws CertificateError CERTIFICATE_MALFORMED, CERTIFICATE_UNSUPPORTED
 */
export function parseRevocationList(der: Uint8Array): RevocationList {
  return readingCertificate("revocation list", () => {
    const { tbs, algorithm, signature } = parseSigned(
      der,
      "revocation list",
      MAXIMUM_REVOCATION_LIST,
    );
    const cursor = new DerCursor(readDer(tbs), "tbsCertList");
    const version = derUnsigned(cursor.next("version", TAG.integer), "version");
    if (version !== 1) throw fault(`version ${version + 1}, expected 2`);
    const inner = cursor.next("signature", TAG.sequence).bytes;
    const issuer = parseName(cursor.next("issuer"), "issuer");
    const thisUpdate = derTime(cursor.next("thisUpdate"), "thisUpdate");
    // Without nextUpdate nobody can tell an old list from the newest one.
    const nextUpdate = derTime(cursor.next("nextUpdate"), "nextUpdate");
    const entries = cursor.optional(TAG.sequence);
    const field = cursor.optional(contextTag(0, true));
    cursor.end();
    // RFC 5280 section 5.1.1.2: what is signed says how, too.
    if (!sameBytes(inner, outerAlgorithm(der, MAXIMUM_REVOCATION_LIST)))
      throw fault("the two signature algorithms differ");
    refuseUnknownCritical(
      field === undefined ? new Map() : parseExtensions(readDer(field.content)),
    );
    const revoked = new Map<string, Date>();
    for (const entry of entries === undefined ? [] : derChildren(entries)) {
      const member = new DerCursor(entry, "revokedCertificate");
      const serial = toHex(derIntegerBytes(member.next("serial number"), "serialNumber"));
      revoked.set(serial, derTime(member.next("revocation date"), "revocationDate"));
      const extensions = member.optional(TAG.sequence);
      if (extensions !== undefined) refuseUnknownCritical(parseExtensions(extensions));
      member.end();
    }
    return { der, tbs, algorithm, signature, issuer, thisUpdate, nextUpdate, revoked };
  });
}

function refuseUnknownCritical(extensions: Extensions): void {
  for (const [type, { critical }] of extensions) {
    if (critical && !KNOWN_CRITICAL.has(type)) throw fault(`unknown critical extension ${type}`);
  }
}
