// A keep's request for the key of a sealed input: canonical JSON (RFC 8785) that names the key and holds the keep's policy and
// a public key made for this one answer (RFC 7517, P-256). Evidence carries its SHA-256 as user data, as it does that of a
// certification request: that one begins with 0x30, this one with a brace, so neither is ever taken for the other.
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  canonicalJson,
  EncodingError,
  fromBase64Url,
  fromText,
  messageOf,
  toBase64Url,
  toText,
} from "@holdfast/core";
import { KeyReleaseError } from "./errors.ts";

/** A request to send, and the key that opens the answer. */
export interface NewReleaseRequest {
  /** What the evidence must be bound to. */
  readonly bytes: Uint8Array;
  readonly privateKey: KeyObject;
}

/** A request, read. */
export interface ReleaseRequest {
  /** Of the key that is asked for. */
  readonly name: string;
  /** Full policy of the keep, its exact text. */
  readonly policyText: string;
  /** Whom the answer is encrypted for: on P-256, checked to be on the curve. */
  readonly recipient: KeyObject;
}

/** The longest request, in bytes. */
export const MAXIMUM_RELEASE_REQUEST: number = 512 * 1024;
/** Names of keys. */
export const KEY_NAME: RegExp = /^[a-z0-9][a-z0-9._-]{0,127}$/;

const TYPE = "holdfast-key-release";
const COORDINATE_BYTES = 32;

/**
 * Makes a request, with a key pair for its answer alone.
 * @param options.name of the key, as the policy's inputs name it
 * @param options.policyText the keep's full policy, its exact text
 * @throws KeyReleaseError KEY_REQUEST_MALFORMED when the policy is too long to be sent
 */
export function makeReleaseRequest(options: {
  readonly name: string;
  readonly policyText: string;
}): NewReleaseRequest {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const bytes = fromText(textOf(options.name, { x, y }, options.policyText));
  if (bytes.length > MAXIMUM_RELEASE_REQUEST) throw malformed(tooLong(bytes));
  return { bytes, privateKey };
}

/**
 * Reads a request.
 * @throws KeyReleaseError KEY_REQUEST_MALFORMED for anything but the one canonical text of a request, and for a public key
 *   that is not on P-256
 */
export function parseReleaseRequest(untrusted: Uint8Array): ReleaseRequest {
  if (untrusted.length > MAXIMUM_RELEASE_REQUEST) throw malformed(tooLong(untrusted));
  const [text, value] = readJson(untrusted);
  const { type, key: name, jwk, policy: policyText } = asObject(value);
  const { kty, crv, x, y } = asObject(jwk);
  if (type !== TYPE || kty !== "EC" || crv !== "P-256") throw malformed("type or kind of key");
  if (typeof name !== "string" || !KEY_NAME.test(name)) throw malformed("key is no key's name");
  if (typeof policyText !== "string") throw malformed("policy is no text");
  const point = { x: coordinate(x), y: coordinate(y) };
  // The one text of these members: others beside them, members that stand twice and other spellings make another text.
  if (!policyText.isWellFormed() || text !== textOf(name, point, policyText)) {
    throw malformed("not the canonical text of a request");
  }
  return { name, policyText, recipient: publicKeyOf(point) };
}

/** A point of P-256; its coordinates are base64url. */
interface Point {
  readonly x: string;
  readonly y: string;
}

function textOf(name: string, point: Point, policy: string): string {
  const jwk = { kty: "EC", crv: "P-256", ...point };
  return canonicalJson({ type: TYPE, key: name, jwk, policy });
}

function readJson(untrusted: Uint8Array): [text: string, value: unknown] {
  try {
    const text = toText(untrusted);
    return [text, JSON.parse(text)];
  } catch (cause) {
    throw malformed(`not JSON in UTF-8: ${messageOf(cause)}`, cause);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw malformed("an object is expected");
}

function coordinate(value: unknown): string {
  try {
    const bytes = fromBase64Url(typeof value === "string" ? value : "");
    if (bytes.length === COORDINATE_BYTES) return toBase64Url(bytes);
  } catch (thrown) {
    if (!(thrown instanceof EncodingError)) throw thrown;
  }
  throw malformed(`a coordinate of ${COORDINATE_BYTES} bytes is expected`);
}

/** Whether the point is on the curve is for OpenSSL to say, which takes no other. */
function publicKeyOf(point: Point): KeyObject {
  try {
    return createPublicKey({ key: { kty: "EC", crv: "P-256", ...point }, format: "jwk" });
  } catch (cause) {
    throw malformed("jwk is no point of P-256", cause);
  }
}

function tooLong({ length }: Uint8Array): string {
  return `${length} bytes, at most ${MAXIMUM_RELEASE_REQUEST}`;
}

function malformed(fault: string, cause?: unknown): KeyReleaseError {
  return new KeyReleaseError(
    "KEY_REQUEST_MALFORMED",
    `request for a key: ${fault}`,
    cause === undefined ? {} : { cause },
  );
}
