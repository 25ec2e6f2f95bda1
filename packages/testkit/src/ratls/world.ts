// Quotes inside certificates and certification requests, under keys of our own, changed exactly as told.
import { createHash, sign } from "node:crypto";
import { concat, createCertificationRequest, derWrite, encodeName } from "@holdfast/core";
import {
  cborWrite as cbor,
  ENARX_SGX,
  type IntelRequest,
  TAGGED_EVIDENCE,
} from "@holdfast/evidence";
import { type IntelChanges, type IntelWorld, newIntelEvidence } from "../intel/world.ts";
import { newKeys, newParty, type Party } from "../pki/party.ts";

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
  const signer = changes.stranger ? newKeys("p256").privateKey : keys.privateKey;
  const der = await createCertificationRequest(
    {
      subject: encodeName({ CN: "keep" }),
      spki,
      extensions: [{ oid: changes.extension ?? ENARX_SGX, value: sequence(octetString(evidence)) }],
      algorithm: "ecdsa-sha256",
    },
    (tbs) => sign("sha256", tbs, signer),
  );
  const { reportData: _, ...rest } = request;
  return { evidence: der, request: rest };
}

function sha(name: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(name).update(bytes).digest());
}

function padded(hash: Uint8Array): Uint8Array {
  return concat(hash, new Uint8Array(64 - hash.length));
}
