// Endorsements in JSON: collateral of Intel as a set (texts, signatures, lists and chains under one object) or as the
// provisioning service answers (the signed object and its signature), answers as an attestation service keeps them, and JSON
// web keys.
import { fromBase64, fromHex, HoldfastError, parseRevocationList, toHex } from "@holdfast/core";
import { unusable } from "../errors.ts";
import type { IntelDocument } from "./intel-document.ts";
import { type ReadEndorsement, readOne, readPemEndorsement } from "./read.ts";
import { keyOfJwk, type TrustedKey } from "./trusted-key.ts";

type Members = Readonly<Record<string, unknown>>;

/** Members of a set that carry a signed text, and where its signature stands. */
const SIGNED_TEXTS = [
  ["tcb_info", "tcb_info_signature"],
  ["qe_identity", "qe_identity_signature"],
  ["tcbInfo", "tcbInfoSignature"],
  ["qeIdentity", "qeIdentitySignature"],
] as const;
const LISTS = ["root_ca_crl", "pck_crl", "rootCaCrl", "pckCrl"] as const;
const CHAINS = [
  "pck_crl_issuer_chain",
  "tcb_info_issuer_chain",
  "qe_identity_issuer_chain",
  "pck_certificate_chain",
] as const;
const MAXIMUM_KEPT = 4;
/** Names under which the provisioning service answers. */
const ANSWERS = ["tcbInfo", "enclaveIdentity"] as const;

/** Reads a JSON text. */
export function readJsonEndorsement(text: string): ReadEndorsement {
  const value = parse(text);
  if (Array.isArray(value)) return { keys: value.flatMap((entry) => keysOf(entry)) };
  if (!isMembers(value)) throw unusable("an object is expected");
  if (Array.isArray(value["files"])) return readKeptAnswer(value["files"]);
  const answers = ANSWERS.flatMap((name) => answerOf(text, value, name));
  if (answers.length > 0) return { intel: answers };
  const keys = keysOf(value);
  if (keys.length > 0) return { keys };
  return readSet(value);
}

/** What an attestation service keeps of a vendor's answer: a few files, base64. Keys are never among them. */
function readKeptAnswer(files: readonly unknown[]): ReadEndorsement {
  if (files.length > MAXIMUM_KEPT) throw unusable(`a kept answer of ${files.length} files`);
  const read = files.map((file) => {
    const encoded = isMembers(file) ? file["bytes"] : undefined;
    if (typeof encoded !== "string") throw unusable("a kept answer without bytes");
    const { certificates, revocationLists, intel } = readOne(fromBase64(encoded));
    return { certificates, revocationLists, intel };
  });
  return {
    certificates: read.flatMap(({ certificates }) => certificates ?? []),
    revocationLists: read.flatMap(({ revocationLists }) => revocationLists ?? []),
    intel: read.flatMap(({ intel }) => intel ?? []),
  };
}

function readSet(set: Members): ReadEndorsement {
  const intel = SIGNED_TEXTS.flatMap(([member, signature]) => {
    const [signed, hex] = [set[member], set[signature]];
    if (typeof signed !== "string" || typeof hex !== "string") return [];
    return [{ text: signed, signature: fromHex(hex) }];
  });
  const chains = CHAINS.flatMap((member) => {
    const chain = set[member];
    return typeof chain === "string" ? [readPemEndorsement(chain)] : [];
  });
  const lists = LISTS.flatMap((member) => {
    const list = set[member];
    return typeof list === "string" ? [parseList(list)] : [];
  });
  if (intel.length + chains.length + lists.length === 0) throw unusable("no collateral known here");
  return {
    intel,
    revocationLists: lists.flatMap((list) => list ?? []),
    certificates: chains.flatMap(({ certificates }) => certificates ?? []),
  };
}

/** A list that can't be read is a list that is not there; verification says that it is missing. */
function parseList(hex: string): ReturnType<typeof parseRevocationList> | undefined {
  try {
    return parseRevocationList(fromHex(hex));
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return undefined;
  }
}

/** The signed object of an answer, cut out of the text as it stands. */
function answerOf(text: string, value: Members, name: string): IntelDocument[] {
  const signature = value["signature"];
  if (!isMembers(value[name]) || typeof signature !== "string") return [];
  return [{ text: memberText(text, name), signature: fromHex(signature) }];
}

/** The verbatim text of an object member at the top of a JSON text that was parsed before. */
function memberText(text: string, name: string): string {
  const start = text.indexOf("{", text.indexOf(`"${name}"`));
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') at = endOfString(text, at);
    else if (character === "{") depth += 1;
    else if (character === "}") depth -= 1;
    if (depth === 0) return text.slice(start, at + 1);
  }
  throw unusable(`${name} has no end`);
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === "\\") at += 1;
    else if (text.charAt(at) === '"') return at;
  }
  return text.length;
}

/** JSON web keys, alone or in a set, and entries of trust stores that name an instance with its key. */
function keysOf(value: unknown): TrustedKey[] {
  if (!isMembers(value)) return [];
  if (Array.isArray(value["keys"])) return value["keys"].flatMap((key) => keysOf(key));
  if (typeof value["kty"] === "string") return [keyOfJwk(value)];
  return keysOfTrustStore(value);
}

function keysOfTrustStore(entry: Members): TrustedKey[] {
  const { pkey } = entry;
  const instance = entry["instance-id"] ?? entry["instance_id"];
  const key = keyOfStore(pkey);
  if (key === undefined) return [];
  return [typeof instance === "string" ? { ...key, name: instanceName(instance) } : key];
}

function keyOfStore(pkey: unknown): TrustedKey | undefined {
  if (isMembers(pkey)) return keyOfJwk(pkey);
  if (typeof pkey !== "string") return undefined;
  if (pkey.includes("-----BEGIN ")) return readPemEndorsement(pkey).keys?.[0];
  const nested = parse(pkey);
  return isMembers(nested) ? keyOfJwk(nested) : undefined;
}

/** Instance ids are written in base64 or in hexadecimal. */
function instanceName(text: string): string {
  if (/^(?:[0-9a-fA-F]{2}){33}$/.test(text)) return text.toLowerCase();
  try {
    return toHex(
      Uint8Array.fromBase64(text, { alphabet: text.includes("-") ? "base64url" : "base64" }),
    );
  } catch {
    // A name of another kind stands for itself.
    return text;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable("not JSON");
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
