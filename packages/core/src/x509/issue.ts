// Writer of certificates and certification requests (RFC 5280 section 4.1, RFC 2986). Signing is the caller's:
// the private key never comes here.
import { concat } from "../bytes.ts";
import { contextTag, fault, TAG } from "../der/read.ts";
import {
  bitString,
  boolean,
  der,
  explicit,
  namedBits,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  unsignedInteger,
} from "../der/write.ts";
import { EXTENSION, KEY_USAGE, type KeyUsage } from "./extensions.ts";
import { EXTENSION_REQUEST } from "./request.ts";

/** Signs bytes; the signature as X.509 carries it (for ECDSA the DER sequence). */
export type Sign = (tbs: Uint8Array) => Promise<Uint8Array> | Uint8Array;

/** Algorithms the writer can name. */
export type IssuingAlgorithm = "ecdsa-sha256" | "ecdsa-sha384" | "rsa-sha256" | "rsa-pss-sha384";

/** An extension to write. */
export interface NewExtension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** What a new certificate says. */
export interface NewCertificate {
  /** Big-endian, positive, at most 20 bytes. */
  readonly serial: Uint8Array;
  /** Name, DER (`encodeName`, or `name.der` of the issuer). */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly extensions: readonly NewExtension[];
  readonly algorithm: IssuingAlgorithm;
}

/** What a new certification request says. */
export interface NewRequest {
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly extensions: readonly NewExtension[];
  readonly algorithm: IssuingAlgorithm;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A certificate that a revocation list names. */
export interface Revoked {
  /** Big-endian, positive. */
  readonly serial: Uint8Array;
  readonly at: Date;
}

/** What a new revocation list says. */
export interface NewRevocationList {
  /** Name, DER. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: readonly Revoked[];
  readonly algorithm: IssuingAlgorithm;
}

const SHA384 = "2.16.840.1.101.3.4.2.2";
/** AlgorithmIdentifiers; of RSASSA-PSS with a salt as long as the digest. */
const ALGORITHMS: Readonly<Record<IssuingAlgorithm, () => Bytes>> = {
  "ecdsa-sha256": () => sequence(oid("1.2.840.10045.4.3.2")),
  "ecdsa-sha384": () => sequence(oid("1.2.840.10045.4.3.3")),
  "rsa-sha256": () => sequence(oid("1.2.840.113549.1.1.11"), der(TAG.null)),
  "rsa-pss-sha384": () =>
    sequence(
      oid("1.2.840.113549.1.1.10"),
      sequence(
        explicit(0, sequence(oid(SHA384))),
        explicit(1, sequence(oid("1.2.840.113549.1.1.8"), sequence(oid(SHA384)))),
        explicit(2, unsignedInteger(Uint8Array.of(48))),
      ),
    ),
};

/** Makes a certificate. */
export async function createCertificate(fields: NewCertificate, sign: Sign): Promise<Bytes> {
  if (fields.serial.length === 0 || fields.serial.length > 20)
    throw fault("serial of 1 to 20 bytes expected");
  const algorithm = ALGORITHMS[fields.algorithm]();
  const tbs = sequence(
    explicit(0, unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(fields.serial),
    algorithm,
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    fields.spki,
    ...(fields.extensions.length === 0 ? [] : [explicit(3, encodeExtensions(fields.extensions))]),
  );
  return sequence(tbs, algorithm, bitString(await sign(tbs)));
}

/** Makes a certification request. */
export async function createCertificationRequest(fields: NewRequest, sign: Sign): Promise<Bytes> {
  const attributes =
    fields.extensions.length === 0
      ? []
      : [sequence(oid(EXTENSION_REQUEST), setOf(encodeExtensions(fields.extensions)))];
  const tbs = sequence(
    unsignedInteger(Uint8Array.of(0)),
    fields.subject,
    fields.spki,
    der(contextTag(0, true), ...attributes),
  );
  return sequence(tbs, ALGORITHMS[fields.algorithm](), bitString(await sign(tbs)));
}

/** Makes a revocation list. */
export async function createRevocationList(fields: NewRevocationList, sign: Sign): Promise<Bytes> {
  const algorithm = ALGORITHMS[fields.algorithm]();
  const revoked = fields.revoked.map(({ serial, at }) =>
    sequence(unsignedInteger(serial), time(at)),
  );
  const tbs = sequence(
    unsignedInteger(Uint8Array.of(1)),
    algorithm,
    fields.issuer,
    time(fields.thisUpdate),
    time(fields.nextUpdate),
    ...(revoked.length === 0 ? [] : [sequence(...revoked)]),
  );
  return sequence(tbs, algorithm, bitString(await sign(tbs)));
}

/** Basic constraints, critical. */
export function basicConstraints(isCa: boolean, pathLength?: number): NewExtension {
  const length = pathLength === undefined ? [] : [unsignedInteger(Uint8Array.of(pathLength))];
  return {
    oid: EXTENSION.basicConstraints,
    critical: true,
    value: isCa ? sequence(boolean(true), ...length) : sequence(),
  };
}

/** Key usage, critical. */
export function keyUsage(...usages: readonly KeyUsage[]): NewExtension {
  return {
    oid: EXTENSION.keyUsage,
    critical: true,
    value: namedBits(usages.map((usage) => KEY_USAGE.indexOf(usage))),
  };
}

function encodeExtensions(extensions: readonly NewExtension[]): Bytes {
  return der(
    TAG.sequence,
    concat(
      ...extensions.map(({ oid: type, critical, value }) =>
        sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value)),
      ),
    ),
  );
}
