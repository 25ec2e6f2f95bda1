// Writes attestation documents in the very format of the Nitro Security Module.
import { fromHex } from "@holdfast/core";
import { cborWrite as cbor, encodeSign1, signedBytes } from "@holdfast/evidence";
import type { EvidenceInput } from "../attester.ts";

/** What a document says. */
export interface NitroPayload extends EvidenceInput {
  readonly moduleId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly leaf: Uint8Array;
  readonly bundle: readonly Uint8Array[];
}

/** One field of the payload, encoded. */
export type PayloadField = readonly [name: string, value: Uint8Array];

/** Protected header: algorithm (1) is ES384 (-35). */
export const ES384_HEADER: Uint8Array<ArrayBuffer> = fromHex("a1013822");

/** The fields of a payload, in the order the module writes them. */
export function payloadFields(payload: NitroPayload): PayloadField[] {
  const orNull = (value: Uint8Array | undefined): Uint8Array =>
    value === undefined ? cbor.nothing : cbor.bytes(value);
  return [
    ["module_id", cbor.text(payload.moduleId)],
    ["digest", cbor.text("SHA384")],
    ["timestamp", cbor.integer(payload.timestamp)],
    [
      "pcrs",
      cbor.indefiniteMap(
        ...[...payload.pcrs].map(
          ([index, value]) => [cbor.integer(index), cbor.bytes(value)] as const,
        ),
      ),
    ],
    ["certificate", cbor.bytes(payload.leaf)],
    ["cabundle", cbor.array(...payload.bundle.map((der) => cbor.bytes(der)))],
    ["public_key", orNull(payload.publicKey)],
    ["user_data", orNull(payload.userData)],
    ["nonce", orNull(payload.nonce)],
  ];
}

/** The payload of its fields: a map of indefinite length, as newer modules write it. */
export function encodePayload(fields: readonly PayloadField[]): Uint8Array<ArrayBuffer> {
  return cbor.indefiniteMap(...fields.map(([name, value]) => [cbor.text(name), value] as const));
}

/** A signed document. */
export function signDocument(
  payload: Uint8Array,
  sign: (bytes: Uint8Array) => Uint8Array,
  protectedBytes: Uint8Array = ES384_HEADER,
): Uint8Array<ArrayBuffer> {
  const signature = sign(signedBytes({ protectedBytes, payload }));
  return encodeSign1({ protectedBytes, payload, signature });
}
