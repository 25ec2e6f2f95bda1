// Opens a released key inside the keep: flattened JSON Web Encryption (RFC 7516 section 7.2.2) with ECDH-ES+A256KW (RFC 7518
// section 4.6) and A256GCM, over node:crypto, for nothing but our own packages may be in a keep. Stricter than the standard:
// exactly these members and algorithms, no compression, no party information, no extensions.
import {
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from "node:crypto";
import { concat, fromBase64Url, fromText, toText } from "@holdfast/core";
import { KeyReleaseError } from "./errors.ts";

const ALGORITHM = "ECDH-ES+A256KW";
const KEY_BYTES = 32;
/** The initial value of key wrapping (RFC 3394 section 2.2.3.1). */
const WRAP_IV = new Uint8Array(8).fill(0xa6);
const BYTES = { encrypted_key: KEY_BYTES + 8, iv: 12, ciphertext: KEY_BYTES, tag: 16 } as const;
const MAXIMUM_HEADER = 1024;

/**
 * The key in an answer to our request.
 * @param privateKey of the request's key pair
 * @param untrusted the answer's `jwe`
 * @returns 32 bytes
 * @throws KeyReleaseError KEY_ANSWER_UNREADABLE, the same for whatever is wrong with it
 */
export function openReleasedKey(privateKey: KeyObject, untrusted: unknown): Uint8Array {
  try {
    return open(privateKey, untrusted);
  } catch (cause) {
    throw new KeyReleaseError("KEY_ANSWER_UNREADABLE", "the answer holds no key for this keep", {
      cause,
    });
  }
}

function open(privateKey: KeyObject, untrusted: unknown): Uint8Array {
  const jwe = members(untrusted, ["protected", ...Object.keys(BYTES)]);
  const header = jwe["protected"] ?? "";
  if (header.length > MAXIMUM_HEADER) throw new Error("header is too long");
  const secret = diffieHellman({ privateKey, publicKey: senderOf(header) });
  const contentKey = unwrap(keyFor(secret), bytesOf(jwe, "encrypted_key"));
  const content = createDecipheriv("aes-256-gcm", contentKey, bytesOf(jwe, "iv"), {
    authTagLength: BYTES.tag,
  });
  content.setAAD(fromText(header)).setAuthTag(bytesOf(jwe, "tag"));
  return concat(content.update(bytesOf(jwe, "ciphertext")), content.final());
}

/** The sender's key of a protected header, once the header is one of ours. */
function senderOf(header: string): KeyObject {
  const object = record(JSON.parse(toText(fromBase64Url(header))), ["alg", "enc", "epk"]);
  if (object["alg"] !== ALGORITHM || object["enc"] !== "A256GCM") throw new Error("algorithm");
  const { kty = "", crv = "", x = "", y = "" } = members(object["epk"], ["kty", "crv", "x", "y"]);
  if (kty !== "EC" || crv !== "P-256") throw new Error("kind of key");
  return createPublicKey({ key: { kty, crv, x, y }, format: "jwk" });
}

/** The key that wraps: Concat KDF with SHA-256 (NIST SP 800-56A section 5.8.1), one round, without party information. */
function keyFor(secret: Uint8Array): Uint8Array {
  const hash = createHash("sha256");
  for (const part of [word(1), secret, word(ALGORITHM.length), fromText(ALGORITHM)]) {
    hash.update(part);
  }
  return hash.update(concat(word(0), word(0), word(KEY_BYTES * 8))).digest();
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** AES key wrapping (RFC 3394) has an integrity check of its own. */
function unwrap(key: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const wrapping = createDecipheriv("id-aes256-wrap", key, WRAP_IV);
  return concat(wrapping.update(wrapped), wrapping.final());
}

function bytesOf(jwe: Readonly<Record<string, string>>, name: keyof typeof BYTES): Uint8Array {
  const bytes = fromBase64Url(jwe[name] ?? "");
  if (bytes.length !== BYTES[name]) throw new Error(`length of ${name}`);
  return bytes;
}

/** The texts of an object that has these members and no others. */
function members(value: unknown, names: readonly string[]): Readonly<Record<string, string>> {
  const object = record(value, names);
  for (const name of names) if (typeof object[name] !== "string") throw new Error(name);
  return object as Record<string, string>;
}

function record(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new Error("an object is expected");
  const own = Object.keys(value);
  if (own.length !== names.length || !names.every((name) => Object.hasOwn(value, name))) {
    throw new Error("other members than expected");
  }
  return value as Record<string, unknown>;
}
