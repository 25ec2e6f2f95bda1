// Certificates under throw-away keys, as much or as little in order as a test asks for.
import {
  constants,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signBytes,
} from "node:crypto";
import {
  basicConstraints,
  type Certificate,
  createCertificate,
  createRevocationList,
  encodeName,
  type IssuingAlgorithm,
  keyUsage,
  type NewCertificate,
  type NewRevocationList,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
} from "@holdfast/core";

/** Someone with a key and a certificate for it. */
export interface Party {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

/** Kinds of key and how they sign. */
export type PartyKind = "p256" | "p384" | "rsa2048" | "rsa4096-pss";

/** How a party is made. */
export interface PartyOptions {
  readonly name: Readonly<Record<string, string>>;
  readonly kind: PartyKind;
  /** Signs itself when absent. */
  readonly issuer?: Party;
  readonly isCa?: boolean;
  /** Made anew when absent. */
  readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly change?: Partial<NewCertificate>;
}

/** Dates of certificates unless a test says otherwise. */
export const PARTY_FROM: Date = new Date("2024-01-01T00:00:00Z");
export const PARTY_UNTIL: Date = new Date("2031-01-01T00:00:00Z");

/** Makes a party. */
export async function newParty(options: PartyOptions): Promise<Party> {
  const keys = options.keys ?? newKeys(options.kind);
  const signer = options.issuer?.privateKey ?? keys.privateKey;
  const subject = encodeName(options.name);
  const der = await createCertificate(
    {
      serial: Uint8Array.of(0x40, ...randomBytes(11)),
      issuer: options.issuer?.certificate.subject.der ?? subject,
      subject,
      notBefore: PARTY_FROM,
      notAfter: PARTY_UNTIL,
      spki: new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" })),
      extensions: options.isCa
        ? [basicConstraints(true), keyUsage("keyCertSign", "cRLSign")]
        : [basicConstraints(false), keyUsage("digitalSignature")],
      algorithm: algorithmOf(signer),
      ...options.change,
    },
    (tbs) => signAs(signer, tbs),
  );
  return { certificate: parseCertificate(der), privateKey: keys.privateKey };
}

/** Another certificate for the name and key of a party. */
export async function reissued(
  party: Party,
  options: { readonly issuer?: Party; readonly change: Partial<NewCertificate> },
): Promise<Party> {
  const { subject, spki } = party.certificate;
  const { privateKey } = party;
  return await newParty({
    name: {},
    kind: "p256",
    keys: { publicKey: createPublicKey(privateKey), privateKey },
    ...options,
    change: {
      subject: subject.der,
      ...(options.issuer === undefined ? { issuer: subject.der } : {}),
      spki,
      ...options.change,
    },
  });
}

/** Makes a pair of keys. */
export function newKeys(kind: PartyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === "p256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (kind === "p384") return generateKeyPairSync("ec", { namedCurve: "P-384" });
  return generateKeyPairSync("rsa", { modulusLength: kind === "rsa2048" ? 2048 : 4096 });
}

/** Makes a revocation list. */
export async function newList(
  issuer: Party,
  change: Partial<NewRevocationList> = {},
  signer: KeyObject = issuer.privateKey,
): Promise<RevocationList> {
  const list = await createRevocationList(
    {
      issuer: issuer.certificate.subject.der,
      thisUpdate: PARTY_FROM,
      nextUpdate: PARTY_UNTIL,
      revoked: [],
      algorithm: algorithmOf(signer),
      ...change,
    },
    (tbs) => signAs(signer, tbs),
  );
  return parseRevocationList(list);
}

/** A serial number as bytes. */
export function serialOf({ certificate }: Party): Uint8Array {
  return Uint8Array.fromHex(certificate.serial);
}

/** RSA of 4096 bits signs RSASSA-PSS here, as AMD's authorities do; of 2048 bits PKCS #1, as those of TPM makers do. */
function algorithmOf(key: KeyObject): IssuingAlgorithm {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (namedCurve === "secp384r1") return "ecdsa-sha384";
  if (namedCurve !== undefined) return "ecdsa-sha256";
  return modulusLength === 4096 ? "rsa-pss-sha384" : "rsa-sha256";
}

function signAs(key: KeyObject, tbs: Uint8Array): Uint8Array {
  const algorithm = algorithmOf(key);
  if (algorithm === "rsa-pss-sha384") {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return new Uint8Array(signBytes("sha384", tbs, { key, padding, saltLength: 48 }));
  }
  return new Uint8Array(signBytes(algorithm === "ecdsa-sha384" ? "sha384" : "sha256", tbs, key));
}
