// A throw-away world of SNP evidence: AMD's hierarchy of authorities under keys of our own, and a builder of reports that
// changes exactly what it is told to.
import { type KeyObject, randomBytes } from "node:crypto";
import { derWrite, type NewExtension, type RevocationList, webCrypto } from "@holdfast/core";
import { AMD_EXTENSION, NO_ENDORSEMENTS, type SnpRequest } from "@holdfast/evidence";
import { newKeys, newList, newParty, type Party } from "../pki/party.ts";
import { encodeSnpReport, type SnpReportFields } from "./report.ts";

/** Authorities of one product line. */
export interface SnpWorld {
  readonly at: Date;
  readonly ark: Party;
  readonly ask: Party;
  readonly asvk: Party;
  readonly list: RevocationList;
}

/** TCB parts of a leaf, as its extensions name them. */
export interface LeafTcb {
  readonly bl: number;
  readonly tee: number;
  readonly snp: number;
  readonly ucode: number;
  readonly fmc?: number;
}

/** What to change of a report with its certificates; everything else, signatures included, is right. */
export interface SnpChanges {
  readonly fields?: Partial<SnpReportFields>;
  readonly beforeSigning?: (report: Uint8Array) => void;
  readonly afterSigning?: (report: Uint8Array) => Uint8Array;
  readonly leaf?: (world: SnpWorld, keys: ReturnType<typeof newKeys>) => Promise<Party>;
  readonly signer?: KeyObject;
  readonly list?: (world: SnpWorld, leaf: Party) => Promise<RevocationList | undefined>;
  /** Authorities in place of the world's. */
  readonly authorities?: (
    world: SnpWorld,
  ) => Promise<{ ask?: Party; anchors?: readonly Party[]; others?: readonly Party[] }>;
}

export const CHIP: Uint8Array = Uint8Array.from({ length: 64 }, (_, index) => 200 - index);
export const LEAF_TCB: LeafTcb = { bl: 4, tee: 1, snp: 24, ucode: 219 };
const TCB = Uint8Array.of(4, 1, 0, 0, 0, 0, 24, 219);

/** Fields of a report that is affirmed. */
export const SNP_FIELDS: SnpReportFields = {
  version: 3,
  guestSvn: 1,
  policy: 0x30000n,
  vmpl: 0,
  signatureAlgorithm: 1,
  platformInfo: 0x25n,
  keyInfo: 0,
  reportData: new Uint8Array(64).fill(7),
  measurement: new Uint8Array(48).fill(9),
  chipId: CHIP,
  cpuid: [0x19, 0x01, 0x01],
  currentTcb: TCB,
  reportedTcb: TCB,
  committedTcb: TCB,
  launchTcb: TCB,
  current: [10, 55, 1],
  committed: [10, 55, 1],
  mitigations: 3n,
};

/** Makes a world; RSA keys of 4096 bits take their time. */
export async function newSnpWorld(line = "Milan"): Promise<SnpWorld> {
  const authority = (CN: string, issuer?: Party) =>
    newParty({
      name: { O: "Test", CN },
      kind: "rsa4096-pss",
      isCa: true,
      ...(issuer === undefined ? {} : { issuer }),
    });
  const ark = await authority(`ARK-${line}`);
  const ask = await authority(`SEV-${line}`, ark);
  const asvk = await authority(`SEV-VLEK-${line}`, ark);
  return { at: new Date("2026-06-01T00:00:00Z"), ark, ask, asvk, list: await newList(ark) };
}

/** Extensions of a leaf certificate. */
export function leafExtensions(options: {
  tcb?: LeafTcb;
  productName?: string;
  hardwareId?: Uint8Array;
  cspId?: string;
}): NewExtension[] {
  const { bl, tee, snp, ucode, fmc } = options.tcb ?? LEAF_TCB;
  const number = (oid: string, value: number): NewExtension => ({
    oid,
    value: derWrite.unsignedInteger(Uint8Array.of(value)),
  });
  const text = (oid: string, value: string): NewExtension => ({
    oid,
    value: derWrite.der(0x16, new TextEncoder().encode(value)),
  });
  return [
    number(AMD_EXTENSION.structVersion, 1),
    text(AMD_EXTENSION.productName, options.productName ?? "Milan-B0"),
    number(AMD_EXTENSION.bootloader, bl),
    number(AMD_EXTENSION.tee, tee),
    number(AMD_EXTENSION.snp, snp),
    number(AMD_EXTENSION.microcode, ucode),
    ...(fmc === undefined ? [] : [number(AMD_EXTENSION.fmc, fmc)]),
    ...(options.cspId === undefined
      ? [{ oid: AMD_EXTENSION.hardwareId, value: options.hardwareId ?? CHIP }]
      : [text(AMD_EXTENSION.cspId, options.cspId)]),
  ];
}

/** A VCEK of the world's chip. */
export async function newVcek(
  issuer: Party,
  keys: ReturnType<typeof newKeys> = newKeys("p384"),
  options: Parameters<typeof leafExtensions>[0] & { change?: object; name?: string } = {},
): Promise<Party> {
  return await newParty({
    name: { O: "Test", CN: options.name ?? "SEV-VCEK" },
    kind: "p384",
    issuer,
    keys,
    change: {
      serial: Uint8Array.of(0x41, ...randomBytes(11)),
      extensions: leafExtensions(options),
      ...options.change,
    },
  });
}

/** A report with the request under which it is affirmed when nothing is changed. */
export async function newSnpEvidence(
  world: SnpWorld,
  changes: SnpChanges = {},
): Promise<{ evidence: Uint8Array; request: SnpRequest; leaf: Party }> {
  const keys = newKeys("p384");
  const { ask, anchors, others } = {
    ask: world.ask,
    anchors: [world.ark],
    others: [],
    ...(await changes.authorities?.(world)),
  };
  const leaf = (await changes.leaf?.(world, keys)) ?? (await newVcek(ask, keys));
  const signed = encodeSnpReport(
    { ...SNP_FIELDS, ...changes.fields },
    changes.signer ?? keys.privateKey,
    changes.beforeSigning,
  );
  const list = changes.list === undefined ? world.list : await changes.list(world, leaf);
  return {
    evidence: changes.afterSigning?.(signed) ?? signed,
    leaf,
    request: {
      at: world.at,
      crypto: webCrypto,
      anchors: anchors.map(({ certificate }) => certificate),
      endorsements: {
        ...NO_ENDORSEMENTS,
        certificates: [ask, world.asvk, leaf, ...others].map(({ certificate }) => certificate),
        revocationLists: list === undefined ? [] : [list],
      },
      reportData: SNP_FIELDS.reportData,
    },
  };
}
