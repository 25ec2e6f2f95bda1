// A throw-away world of Nitro evidence: a root, a time, the values a document is bound to, and a builder that changes
// exactly what it is told to.
import {
  type ChangeCertificate,
  ES384_HEADER,
  encodePayload,
  messageSigner,
  type NitroChain,
  type NitroPayload,
  newNitroChain,
  newSimulatedAuthority,
  type PayloadField,
  payloadFields,
  type SimulatedAuthority,
  signDocument,
  simulatedPcrs,
} from "@holdfast/attester";
import { type Certificate, fixedClock, fromPem, parseCertificate, webCrypto } from "@holdfast/core";
import type { NitroRequest } from "@holdfast/evidence";

/** What documents of a world are made from and judged against. */
export interface NitroWorld {
  readonly at: Date;
  readonly authority: SimulatedAuthority;
  readonly root: Certificate;
  readonly image: Uint8Array;
  readonly nonce: Uint8Array;
  readonly userData: Uint8Array;
  readonly publicKey: Uint8Array;
  /** The request under which an unspoilt document is affirmed with every check passed. */
  readonly request: NitroRequest;
  readonly chain: NitroChain;
}

/** What to change of a document; everything else, signatures included, is right. */
export interface NitroChanges {
  readonly certificate?: ChangeCertificate;
  /** The whole chain, for one under another root. */
  readonly chain?: (chain: NitroChain) => NitroChain;
  readonly payload?: Partial<NitroPayload>;
  readonly fields?: (fields: PayloadField[]) => PayloadField[];
  readonly encode?: (fields: readonly PayloadField[]) => Uint8Array;
  readonly protectedBytes?: Uint8Array;
  readonly sign?: (bytes: Uint8Array) => Uint8Array;
  /** Changes the signed document. */
  readonly document?: (document: Uint8Array) => Uint8Array;
}

const MODULE_ID = "i-0123456789abcdef0-enc0123456789abcdef";

/** Makes a world at a time. */
export async function newNitroWorld(
  at: Date = new Date("2026-06-01T10:00:00Z"),
): Promise<NitroWorld> {
  const authority = await newSimulatedAuthority(fixedClock(at));
  const [der = new Uint8Array()] = fromPem("CERTIFICATE", authority.certificatePem);
  const root = parseCertificate(der);
  const [image, nonce, userData, publicKey] = [
    filled(48, 7),
    filled(32, 1),
    filled(32, 2),
    filled(91, 3),
  ];
  return {
    at,
    authority,
    root,
    image,
    nonce,
    userData,
    publicKey,
    request: {
      anchors: [root],
      at,
      crypto: webCrypto,
      nonce,
      userData,
      publicKey,
      pcrs: new Map([[0, image]]),
    },
    chain: await newNitroChain(authority, MODULE_ID, fixedClock(at)),
  };
}

/** A document of a world, with the changes asked for. */
export async function newNitroDocument(
  world: NitroWorld,
  changes: NitroChanges = {},
): Promise<Uint8Array> {
  const { at, authority, chain, image, nonce, userData, publicKey } = world;
  const own =
    changes.certificate === undefined
      ? chain
      : await newNitroChain(authority, MODULE_ID, fixedClock(at), changes.certificate);
  const { leaf, bundle, leafKey } = changes.chain?.(own) ?? own;
  const fields = payloadFields({
    moduleId: MODULE_ID,
    timestamp: at.getTime(),
    pcrs: simulatedPcrs(image),
    leaf,
    bundle,
    nonce,
    userData,
    publicKey,
    ...changes.payload,
  });
  const payload = (changes.encode ?? encodePayload)(changes.fields?.(fields) ?? fields);
  const document = signDocument(
    payload,
    changes.sign ?? messageSigner(leafKey),
    changes.protectedBytes ?? ES384_HEADER,
  );
  return changes.document?.(document) ?? document;
}

/** Bytes of one value. */
export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
