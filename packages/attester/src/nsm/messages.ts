// Requests and responses of the Nitro Security Module's driver, as CBOR: {"Attestation": {user_data, nonce, public_key}}
// is answered by {"Attestation": {document}} or {"Error": reason}.
import { HoldfastError } from "@holdfast/core";
import {
  type CborMap,
  type CborNode,
  cborWrite as cbor,
  cborBytes,
  cborEntry,
  cborFault,
  cborMap,
  cborRequired,
  cborText,
  readCbor,
} from "@holdfast/evidence";
import type { EvidenceInput } from "../attester.ts";
import { AttesterError } from "../errors.ts";

/** The longest request and response, as in the driver. */
export const MAXIMUM_NSM_REQUEST = 0x1000;
export const MAXIMUM_NSM_RESPONSE = 0x3000;

/** Reasons of refusal that the module knows. */
export type NsmError = "InvalidArgument" | "InvalidOperation" | "InputTooLarge" | "InternalError";

/** A response, read. */
export type NsmResponse =
  | { readonly kind: "attestation"; readonly document: Uint8Array }
  | { readonly kind: "error"; readonly reason: string };

const FIELDS = { user_data: "userData", nonce: "nonce", public_key: "publicKey" } as const;

/** Bytes of a request for evidence. */
export function encodeAttestationRequest(input: EvidenceInput): Uint8Array<ArrayBuffer> {
  const fields = Object.entries(FIELDS).map(([name, property]) => {
    const value = input[property];
    return [cbor.text(name), value === undefined ? cbor.nothing : cbor.bytes(value)] as const;
  });
  return cbor.map([cbor.text("Attestation"), cbor.map(...fields)]);
}

/**
 * Reads a request for evidence.
 * @throws AttesterError ATTESTER_PROTOCOL
 */
export function parseAttestationRequest(bytes: Uint8Array): EvidenceInput {
  return reading("request", () => {
    const call = only(cborMap(readCbor(bytes), "request"), "request");
    const body = cborMap(cborRequired(call, "Attestation", "request"), "Attestation");
    for (const [key] of body.entries) {
      if (key.kind !== "text" || !Object.hasOwn(FIELDS, key.value)) {
        throw cborFault("Attestation: unknown field");
      }
    }
    return Object.fromEntries(
      Object.entries(FIELDS).flatMap(([name, property]) => {
        const value = optionalBytes(cborEntry(body, name), name);
        return value === undefined ? [] : [[property, value]];
      }),
    );
  });
}

/** Bytes of a response. */
export function encodeResponse(response: NsmResponse): Uint8Array<ArrayBuffer> {
  return response.kind === "error"
    ? cbor.map([cbor.text("Error"), cbor.text(response.reason)])
    : cbor.map([
        cbor.text("Attestation"),
        cbor.map([cbor.text("document"), cbor.bytes(response.document)]),
      ]);
}

/**
 * Reads a response.
 * @throws AttesterError ATTESTER_PROTOCOL
 */
export function parseResponse(bytes: Uint8Array): NsmResponse {
  return reading("response", () => {
    const answer = only(cborMap(readCbor(bytes), "response"), "response");
    const error = cborEntry(answer, "Error");
    if (error !== undefined) {
      return { kind: "error", reason: cborText(error, "Error", { least: 1, most: 64 }) };
    }
    const body = cborMap(cborRequired(answer, "Attestation", "response"), "Attestation");
    const document = cborRequired(body, "document", "Attestation");
    const range = { least: 1, most: MAXIMUM_NSM_RESPONSE };
    return { kind: "attestation", document: cborBytes(document, "document", range) };
  });
}

function optionalBytes(node: CborNode | undefined, where: string): Uint8Array | undefined {
  if (node === undefined || (node.kind === "simple" && node.value === null)) return undefined;
  return cborBytes(node, where, { least: 0, most: 1024 });
}

function only(map: CborMap, where: string): CborMap {
  if (map.entries.length !== 1) throw cborFault(`${where}: one entry expected`);
  return map;
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new AttesterError("ATTESTER_PROTOCOL", `${what} can't be read: ${cause.message}`, {
      cause,
    });
  }
}
