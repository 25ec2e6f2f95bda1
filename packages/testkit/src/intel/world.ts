// A throw-away world of SGX and TDX evidence: Intel's hierarchy under keys of our own, its collateral, and a builder of
// quotes that changes exactly what it is told to.
import { createHash, type KeyObject, sign } from "node:crypto";
import {
  concat,
  derWrite,
  type NewExtension,
  type RevocationList,
  toPem,
  webCrypto,
} from "@holdfast/core";
import { type IntelRequest, NO_ENDORSEMENTS, SGX_EXTENSION } from "@holdfast/evidence";
import { newKeys, newList, newParty, type Party } from "../pki/party.ts";
import { type IdentityJson, identityJson, type TcbInfoJson, tcbInfoJson } from "./collateral.ts";
import { encodeBody, encodeQuote, type QuoteFields, type QuoteKind } from "./quote.ts";

/** Authorities and platform. */
export interface IntelWorld {
  readonly at: Date;
  readonly root: Party;
  readonly platformCa: Party;
  readonly tcbSigner: Party;
  readonly pck: Party;
  readonly rootList: RevocationList;
  readonly pckList: RevocationList;
}

/** What to change; everything else, signatures included, is right. */
export interface IntelChanges {
  readonly kind?: QuoteKind;
  readonly fields?: Partial<QuoteFields>;
  /** Changes header, descriptor and body before the attestation key signs them. */
  readonly beforeSigning?: (signed: Uint8Array) => void;
  /** Changes the whole quote. */
  readonly afterSigning?: (quote: Uint8Array) => Uint8Array;
  readonly pck?: (world: IntelWorld) => Promise<Party>;
  readonly intermediate?: (world: IntelWorld) => Promise<Party>;
  /** The root that the quote carries. */
  readonly root?: (world: IntelWorld) => Promise<Party>;
  /** The root that is trusted. */
  readonly anchor?: (world: IntelWorld) => Promise<Party>;
  /** Who signs the QE report, when it is not the PCK. */
  readonly qeSigner?: KeyObject;
  readonly quoteSigner?: KeyObject;
  readonly tcbInfo?: (info: TcbInfoJson) => void;
  readonly identity?: (identity: IdentityJson) => void;
  /** Signs both documents of collateral. */
  readonly tcbSigner?: (world: IntelWorld) => Promise<Party>;
  /** Signs only this one. */
  readonly tcbInfoSigner?: (world: IntelWorld) => Promise<Party>;
  readonly identitySigner?: (world: IntelWorld) => Promise<Party>;
  /** Signs the collateral with another key than its certificate says. */
  readonly tcbKey?: KeyObject;
  readonly identityKey?: KeyObject;
  readonly lists?: (
    world: IntelWorld,
    pck: Party,
    signers: { readonly info: Party; readonly identity: Party },
  ) => Promise<readonly RevocationList[]>;
  readonly withoutTcbInfo?: boolean;
  readonly withoutIdentity?: boolean;
  /** The quote names its platform and leaves the certificate to the verifier. */
  readonly certificationType?: number;
  /** How it names its platform, instead of by its right name. */
  readonly platformName?: Uint8Array;
}

export const FMSPC: Uint8Array = Uint8Array.of(0xb0, 0xc0, 0x6f, 0, 0, 0);
export const PPID: Uint8Array = new Uint8Array(16).fill(0x11);
export const COMPONENTS: readonly number[] = [3, 3, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0];
export const REPORT_DATA: Uint8Array = new Uint8Array(64).fill(5);
const PCE_SVN = 13;

/** Makes a world. */
export async function newIntelWorld(): Promise<IntelWorld> {
  const name = (CN: string) => ({ CN, O: "Test" });
  const root = await newParty({ name: name("Intel SGX Root CA"), kind: "p256", isCa: true });
  const platformCa = await newParty({
    name: name("Intel SGX PCK Platform CA"),
    kind: "p256",
    isCa: true,
    issuer: root,
  });
  const tcbSigner = await newParty({
    name: name("Intel SGX TCB Signing"),
    kind: "p256",
    issuer: root,
  });
  const pck = await newPck(platformCa);
  return {
    at: new Date("2026-06-01T00:00:00Z"),
    root,
    platformCa,
    tcbSigner,
    pck,
    rootList: await newList(root),
    pckList: await newList(platformCa),
  };
}

/** A PCK certificate. */
export async function newPck(
  issuer: Party,
  options: { name?: string; extension?: Uint8Array; change?: object } = {},
): Promise<Party> {
  const sgx: NewExtension = { oid: SGX_EXTENSION, value: options.extension ?? pckExtension() };
  return await newParty({
    name: { CN: options.name ?? "Intel SGX PCK Certificate", O: "Test" },
    kind: "p256",
    issuer,
    change: { extensions: [sgx], ...options.change },
  });
}

/** The extension of a PCK certificate. */
export function pckExtension(
  options: {
    fmspc?: Uint8Array;
    pceId?: Uint8Array;
    components?: readonly number[];
    pceSvn?: number;
  } = {},
): Uint8Array {
  const { sequence, oid, octetString, unsignedInteger, der } = derWrite;
  const member = (arc: string, value: Uint8Array) =>
    sequence(oid(`${SGX_EXTENSION}.${arc}`), value);
  const integer = (value: number) => unsignedInteger(Uint8Array.of(value >> 8, value & 255));
  const components = options.components ?? COMPONENTS;
  const tcb = sequence(
    ...components.map((svn, index) => member(`2.${index + 1}`, integer(svn))),
    member("2.17", integer(options.pceSvn ?? PCE_SVN)),
    member("2.18", octetString(Uint8Array.from(components))),
  );
  return sequence(
    member("1", octetString(PPID)),
    member("2", tcb),
    member("3", octetString(options.pceId ?? new Uint8Array(2))),
    member("4", octetString(options.fmspc ?? FMSPC)),
    member("5", der(0x0a, Uint8Array.of(1))),
  );
}

/** A quote with the request under which it is affirmed when nothing is changed. */
export async function newIntelEvidence(
  world: IntelWorld,
  changes: IntelChanges = {},
): Promise<{ evidence: Uint8Array; request: IntelRequest; pck: Party }> {
  const kind = changes.kind ?? "tdx4";
  const pck = (await changes.pck?.(world)) ?? world.pck;
  const intermediate = (await changes.intermediate?.(world)) ?? world.platformCa;
  const signer = (await changes.tcbSigner?.(world)) ?? world.tcbSigner;
  const infoSigner = (await changes.tcbInfoSigner?.(world)) ?? signer;
  const identitySigner = (await changes.identitySigner?.(world)) ?? signer;
  const root = (await changes.root?.(world)) ?? world.root;
  const anchor = (await changes.anchor?.(world)) ?? world.root;
  const chain = [pck, intermediate, root].map(({ certificate }) => certificate);
  const evidence = signedQuote(
    kind,
    pck,
    chain.map(({ der }) => toPem("CERTIFICATE", der)).join(""),
    changes,
  );
  const info = tcbInfoJson(kind === "sgx3" ? "SGX" : "TDX", PCE_SVN, COMPONENTS);
  const identity = identityJson(kind === "sgx3" ? "QE" : "TD_QE");
  changes.tcbInfo?.(info);
  changes.identity?.(identity);
  const lists = (await changes.lists?.(world, pck, {
    info: infoSigner,
    identity: identitySigner,
  })) ?? [world.rootList, world.pckList];
  return {
    evidence: changes.afterSigning?.(evidence) ?? evidence,
    pck,
    request: {
      at: world.at,
      crypto: webCrypto,
      anchors: [anchor.certificate],
      reportData: REPORT_DATA,
      endorsements: {
        ...NO_ENDORSEMENTS,
        certificates: [
          ...new Set([infoSigner.certificate, identitySigner.certificate]),
          ...(changes.certificationType === undefined ? [] : chain),
        ],
        revocationLists: lists,
        intel: [
          ...(changes.withoutTcbInfo
            ? []
            : [signedText(info, changes.tcbKey ?? infoSigner.privateKey)]),
          ...(changes.withoutIdentity
            ? []
            : [signedText(identity, changes.identityKey ?? identitySigner.privateKey)]),
        ],
      },
    },
  };
}

function signedText(value: object, key: KeyObject): { text: string; signature: Uint8Array } {
  const text = JSON.stringify(value);
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return { text, signature: new Uint8Array(signature) };
}

function signedQuote(
  kind: QuoteKind,
  pck: Party,
  chain: string,
  changes: IntelChanges,
): Uint8Array {
  const attestation = newKeys("p256");
  const { x = "", y = "" } = attestation.publicKey.export({ format: "jwk" });
  const key = concat(...[x, y].map((part) => new Uint8Array(Buffer.from(part, "base64url"))));
  const fields: QuoteFields = {
    vendorId: Uint8Array.fromHex("939a7233f79c4ca9940a0db3957f0607"),
    keyType: 2,
    reportData: REPORT_DATA,
    attributes:
      kind === "sgx3"
        ? Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0)
        : Uint8Array.of(0, 0, 0, 0x10, 0, 0, 0, 0),
    teeTcbSvn: Uint8Array.of(6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    teeTcbSvn2: Uint8Array.of(6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    mrSignerSeam: new Uint8Array(48),
    seamAttributes: new Uint8Array(8),
    mrServiceTd: new Uint8Array(48),
    measurement: new Uint8Array(48).fill(9),
    qeIsvSvn: 8,
    qeIsvProdId: 2,
    qeMrSigner: new Uint8Array(32).fill(0xdc),
    qeAttributes: Uint8Array.of(0x11, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0),
    qeMiscSelect: new Uint8Array(4),
    qeAuthData: new Uint8Array(32).fill(3),
    ...changes.fields,
  };
  const signed = encodeBody(kind, fields);
  changes.beforeSigning?.(signed);
  const binding =
    fields.qeReportData ??
    concat(
      new Uint8Array(createHash("sha256").update(key).update(fields.qeAuthData).digest()),
      new Uint8Array(32),
    );
  return encodeQuote(kind, {
    signed,
    fields,
    attestationKey: key,
    qeReportData: binding,
    signQuote: (bytes) => ecdsa(bytes, changes.quoteSigner ?? attestation.privateKey),
    signQe: (bytes) => ecdsa(bytes, changes.qeSigner ?? pck.privateKey),
    certification:
      changes.certificationType === undefined
        ? { type: 5, data: new TextEncoder().encode(`${chain}\0`) }
        : {
            type: changes.certificationType,
            data: changes.platformName ?? platformName(changes.certificationType),
          },
  });
}

/** What a PPID is encrypted to, for tests: nothing can be told from it. */
export const ENCRYPTED_PPID: Uint8Array = new Uint8Array(384).fill(0xee);

/** A platform's name in certification data: PPID, CPUSVN, PCESVN, PCEID. */
export function platformName(
  type: number,
  { ppid = PPID, pceId = new Uint8Array(2) }: { ppid?: Uint8Array; pceId?: Uint8Array } = {},
): Uint8Array {
  const encrypted = ENCRYPTED_PPID.subarray(0, type === 2 ? 256 : 384);
  return concat(
    type === 1 ? ppid : encrypted,
    Uint8Array.from(COMPONENTS),
    Uint8Array.of(PCE_SVN, 0),
    pceId,
  );
}

function ecdsa(bytes: Uint8Array, key: KeyObject): Uint8Array {
  return new Uint8Array(sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }));
}
