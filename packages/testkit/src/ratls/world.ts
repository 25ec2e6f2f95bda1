// Quotes inside certificates and certification requests, under keys of our own, changed exactly as told.
import { createHash, sign } from "node:crypto";
import {
  concat,
  createCertificationRequest,
  derWrite,
  encodeName,
  type NewExtension,
} from "@holdfast/core";
import {
  cborWrite as cbor,
  ENARX_SGX,
  ENARX_SNP,
  type IntelRequest,
  type SnpRequest,
  TAGGED_EVIDENCE,
} from "@holdfast/evidence";
import { type IntelChanges, type IntelWorld, newIntelEvidence } from "../intel/world.ts";
import { newKeys, newParty, type Party } from "../pki/party.ts";
import { newSnpEvidence, type SnpChanges, type SnpWorld } from "../snp/world.ts";

/** What to change of a certificate with tagged evidence; everything else is right. */
export interface RaTlsChanges {
  /** Number and name of the hash of the key. */
  readonly hash?: readonly [number, string];
  /** What is hashed in place of the certificate's key. */
  readonly hashed?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly tag?: number;
  /** Report data in place of the hash of the claims. */
  readonly reportData?: Uint8Array;
  readonly quote?: IntelChanges;
  readonly extension?: string;
  readonly issuer?: (world: IntelWorld) => Party;
  readonly notAfter?: Date;
}

/** What to change of a request with a quote. */
export interface EnarxChanges {
  readonly reportData?: Uint8Array;
  readonly quote?: IntelChanges;
  readonly stranger?: boolean;
  readonly extension?: string;
}

/** What to change of a request with a report. */
export interface EnarxSnpChanges {
  readonly reportData?: Uint8Array;
  readonly report?: SnpChanges;
  readonly stranger?: boolean;
  /** Extensions in place of the one with the evidence. */
  readonly extensions?: (evidence: Uint8Array) => readonly NewExtension[];
  /** Leaves the certificate's place empty. */
  readonly withoutLeaf?: boolean;
  /** Leaves the revocation list out. */
  readonly withoutList?: boolean;
}

export const RA_TLS_NONCE: Uint8Array = new Uint8Array(32).fill(3);

/** A certificate, DER, with the request under which it is affirmed when nothing is changed. */
export async function newRaTlsCertificate(
  world: IntelWorld,
  changes: RaTlsChanges = {},
): Promise<{ evidence: Uint8Array; request: IntelRequest }> {
  const keys = newKeys("p256");
  const spki = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" }));
  const [number, name] = changes.hash ?? [1, "sha256"];
  const hash = cbor.array(cbor.integer(number), cbor.bytes(sha(name, changes.hashed ?? spki)));
  const buffer = cbor.map(
    [cbor.text("pubkey-hash"), cbor.bytes(hash)],
    [cbor.text("nonce"), cbor.bytes(changes.nonce ?? RA_TLS_NONCE)],
  );
  const { evidence, request } = await newIntelEvidence(world, {
    kind: "sgx3",
    ...changes.quote,
    fields: {
      reportData: changes.reportData ?? padded(sha("sha256", buffer)),
      ...changes.quote?.fields,
    },
  });
  const tagged = cbor.tag(
    changes.tag ?? 60_000,
    cbor.array(cbor.bytes(evidence), cbor.bytes(buffer)),
  );
  const issuer = changes.issuer?.(world);
  const party = await newParty({
    name: { CN: "enclave" },
    kind: "p256",
    keys,
    ...(issuer === undefined ? {} : { issuer }),
    change: {
      extensions: [{ oid: changes.extension ?? TAGGED_EVIDENCE, value: tagged }],
      ...(changes.notAfter === undefined ? {} : { notAfter: changes.notAfter }),
    },
  });
  const { reportData: _, ...rest } = request;
  return { evidence: party.certificate.der, request: { ...rest, nonce: RA_TLS_NONCE } };
}

/** A certification request, DER, with the request under which it is affirmed when nothing is changed. */
export async function newEnarxRequest(
  world: IntelWorld,
  changes: EnarxChanges = {},
): Promise<{ evidence: Uint8Array; request: IntelRequest }> {
  const keys = newKeys("p256");
  const spki = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" }));
  const { evidence, request } = await newIntelEvidence(world, {
    kind: "sgx3",
    ...changes.quote,
    fields: {
      reportData: changes.reportData ?? padded(sha("sha256", spki)),
      ...changes.quote?.fields,
    },
  });
  const { sequence, octetString } = derWrite;
  const value = sequence(octetString(evidence));
  const extensions = [{ oid: changes.extension ?? ENARX_SGX, value }];
  const der = await requestOf(keys, "sha256", extensions, changes.stranger);
  const { reportData: _, ...rest } = request;
  return { evidence: der, request: rest };
}

/** A certification request with a report, DER, and the request under which it is affirmed when nothing is changed. */
export async function newEnarxSnpRequest(
  world: SnpWorld,
  changes: EnarxSnpChanges = {},
): Promise<{ evidence: Uint8Array; request: SnpRequest }> {
  const keys = newKeys("p384");
  const spki = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" }));
  const { evidence, request, leaf } = await newSnpEvidence(world, {
    ...changes.report,
    fields: {
      reportData: changes.reportData ?? padded(sha("sha384", spki)),
      ...changes.report?.fields,
    },
  });
  const { sequence, octetString, der } = derWrite;
  const lists = changes.withoutList ? [] : (request.endorsements.revocationLists ?? []);
  const entries = lists.map((list) =>
    sequence(der(0x0c, new TextEncoder().encode("https://crl.test/Milan")), list.der),
  );
  const endorsed = sequence(
    ...(changes.withoutLeaf ? [] : [leaf.certificate.der]),
    sequence(sequence(...entries)),
  );
  const value = sequence(endorsed, octetString(evidence));
  const extensions = changes.extensions?.(value) ?? [{ oid: ENARX_SNP, value }];
  const { reportData: _, endorsements, ...rest } = request;
  // What the request brings along need not come a second time.
  const certificates = endorsements.certificates.filter((each) => each !== leaf.certificate);
  return {
    evidence: await requestOf(keys, "sha384", extensions, changes.stranger),
    request: { ...rest, endorsements: { ...endorsements, certificates, revocationLists: [] } },
  };
}

async function requestOf(
  keys: ReturnType<typeof newKeys>,
  hash: "sha256" | "sha384",
  extensions: readonly NewExtension[],
  stranger = false,
): Promise<Uint8Array> {
  const kind = hash === "sha256" ? "p256" : "p384";
  const signer = stranger ? newKeys(kind).privateKey : keys.privateKey;
  return await createCertificationRequest(
    {
      subject: encodeName({ CN: "keep" }),
      spki: new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" })),
      extensions: [...extensions],
      algorithm: `ecdsa-${hash}`,
    },
    (tbs) => sign(hash, tbs, signer),
  );
}

function sha(name: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(name).update(bytes).digest());
}

function padded(hash: Uint8Array): Uint8Array {
  return concat(hash, new Uint8Array(64 - hash.length));
}
