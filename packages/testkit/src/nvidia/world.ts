// Reports of a GPU under keys of our own, changed exactly as told.
import { type KeyObject, sign } from "node:crypto";
import {
  concat,
  derWrite,
  type NewCertificate,
  type NewExtension,
  type RevocationList,
  webCrypto,
} from "@holdfast/core";
import { type JudgeRequest, NO_ENDORSEMENTS } from "@holdfast/evidence";
import { newKeys, newList, newParty, type Party } from "../pki/party.ts";

/** What to change; everything else, signature included, is right. */
export interface GpuChanges {
  readonly signer?: KeyObject;
  readonly before?: (report: Uint8Array) => Uint8Array;
  readonly after?: (report: Uint8Array) => Uint8Array;
  /** Firmware in the certificate. */
  readonly certified?: Uint8Array;
  readonly leafChange?: object;
  /** Signs the device's certificate in place of its authority. */
  readonly issuerKey?: KeyObject;
  /** Other certificates of the authorities, for the keys they have. */
  readonly rootChange?: Partial<NewCertificate>;
  readonly modelChange?: Partial<NewCertificate>;
  readonly lists?: (parties: GpuParties) => Promise<readonly RevocationList[]>;
  readonly blocks?: readonly (readonly [index: number, value: Uint8Array])[];
}

/** Device, model and root. */
export type GpuParties = readonly [device: Party, model: Party, root: Party];

export const GPU_NONCE: Uint8Array = new Uint8Array(32).fill(0x21);
const FIRMWARE = new Uint8Array(48).fill(0x31);

/** A report with the request under which it is affirmed when nothing is changed. */
export async function newGpuEvidence(
  changes: GpuChanges = {},
): Promise<{ evidence: Uint8Array; request: JudgeRequest }> {
  const authority = (CN: string, change: Partial<NewCertificate> = {}, issuer?: Party) =>
    newParty({
      name: { CN, O: "Test" },
      kind: "p384",
      isCa: true,
      ...(issuer === undefined ? {} : { issuer }),
      change,
    });
  const root = await authority("root", changes.rootChange);
  const model = await authority("model", changes.modelChange, root);
  const keys = newKeys("p384");
  const device = await newParty({
    name: { CN: "device", O: "Test" },
    kind: "p384",
    issuer: { ...model, privateKey: changes.issuerKey ?? model.privateKey },
    keys,
    change: {
      extensions: [firmwareExtension(changes.certified)],
      ...changes.leafChange,
    },
  });
  const blocks = changes.blocks ?? [
    [1, new Uint8Array(48).fill(1)],
    [2, new Uint8Array(48).fill(2)],
  ];
  const written = encodeReport(blocks);
  const unsigned = changes.before?.(written) ?? written;
  const key = changes.signer ?? keys.privateKey;
  const signature = sign("sha384", unsigned, { key, dsaEncoding: "ieee-p1363" });
  const evidence = concat(unsigned, new Uint8Array(signature));
  const parties: GpuParties = [device, model, root];
  return {
    evidence: changes.after?.(evidence) ?? evidence,
    request: {
      at: new Date("2026-06-01T00:00:00Z"),
      crypto: webCrypto,
      anchors: [root.certificate],
      nonce: GPU_NONCE,
      endorsements: {
        ...NO_ENDORSEMENTS,
        certificates: parties.map(({ certificate }) => certificate),
        revocationLists: (await changes.lists?.(parties)) ?? [
          await newList(root),
          await newList(model),
        ],
      },
    },
  };
}

function encodeReport(blocks: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const record = concat(
    ...blocks.map(([index, value]) =>
      concat(
        Uint8Array.of(index, 1),
        little(2, value.length + 3),
        Uint8Array.of(0),
        little(2, value.length),
        value,
      ),
    ),
  );
  const opaque = concat(
    field(3, new TextEncoder().encode("550.90.07\0")),
    field(6, Uint8Array.of(0, 0x9f, 0, 0x96, 1, 0, 0, 0)),
    field(20, FIRMWARE),
  );
  return concat(
    Uint8Array.of(0x11, 0xe0, 1, 0xff),
    GPU_NONCE,
    Uint8Array.of(0),
    Uint8Array.of(0x11, 0x60, 0, 0, blocks.length),
    little(3, record.length),
    record,
    new Uint8Array(32),
    little(2, opaque.length),
    opaque,
  );
}

/** The extension that names the firmware of a device. */
export function firmwareExtension(firmware: Uint8Array = FIRMWARE): NewExtension {
  return { oid: "2.23.133.5.4.1", value: tcbInfo(firmware) };
}

/** DICE TcbInfo of one digest, as NVIDIA writes it. */
function tcbInfo(firmware: Uint8Array): Uint8Array {
  const { sequence, oid, octetString } = derWrite;
  return sequence(sequence(oid("2.16.840.1.101.3.4.2.2"), octetString(firmware)));
}

function field(type: number, value: Uint8Array): Uint8Array {
  return concat(little(2, type), little(2, value.length), value);
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
