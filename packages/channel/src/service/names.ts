// Names of a service in certificates (RFC 5280 sections 4.2.1.6 and 4.2.1.10): what it answers to, and what an authority
// may vouch for and nothing else. Names are hosts without wildcards, and addresses.
import { isIP, isIPv4 } from "node:net";
import {
  derChildren,
  derWrite,
  EXTENSION,
  type Extensions,
  fromText,
  type NewExtension,
  readDer,
  toHex,
} from "@holdfast/core";

/** Names that every service has on its own machine. */
export const LOCAL_NAMES: readonly string[] = ["localhost", "127.0.0.1", "::1"];

const LABEL = "(?!-)[A-Za-z0-9-]{1,63}(?<!-)";
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const PERMITTED_SUBTREES = 0xa0;

/** Whether a certificate can be for a name. */
export function isServiceName(name: string): boolean {
  if (isIP(name) !== 0) return !name.includes("%");
  return name.length <= 253 && HOST_NAME.test(name);
}

/** Whether a host, as addresses and URLs name it, is this machine and reached by nobody else. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|::1|\[::1\]|(?:::ffff:)?127(?:\.\d{1,3}){3})$/.test(host);
}

/** Subject alternative names. */
export function alternativeNames(names: readonly string[]): NewExtension {
  const all = names.map((name) =>
    isIP(name) === 0
      ? derWrite.der(DNS_NAME, fromText(name))
      : derWrite.der(IP_ADDRESS, addressBytes(name)),
  );
  return { oid: EXTENSION.subjectAltName, value: derWrite.sequence(...all) };
}

/** Constraints to names, critical. */
export function nameConstraints(names: readonly string[]): NewExtension {
  return {
    oid: EXTENSION.nameConstraints,
    critical: true,
    value: derWrite.sequence(derWrite.der(PERMITTED_SUBTREES, ...names.map(subtreeOf))),
  };
}

/** The names that an authority constrained by `nameConstraints` is not for. */
export function namesOutside(extensions: Extensions, names: readonly string[]): string[] {
  const extension = extensions.get(EXTENSION.nameConstraints);
  const trees = extension === undefined ? [] : derChildren(readDer(extension.value));
  const permitted = trees.filter(({ tag }) => tag === PERMITTED_SUBTREES).flatMap(derChildren);
  const known = new Set(permitted.map(({ bytes }) => toHex(bytes)));
  return names.filter((name) => !known.has(toHex(subtreeOf(name))));
}

/** A GeneralSubtree: the one host, or the one address. */
function subtreeOf(name: string): Uint8Array {
  if (isIP(name) === 0) return derWrite.sequence(derWrite.der(DNS_NAME, fromText(name)));
  const address = addressBytes(name);
  const mask = new Uint8Array(address.length).fill(0xff);
  return derWrite.sequence(derWrite.der(IP_ADDRESS, address, mask));
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  // URL writes an address in one way: no dotted part, at most one "::".
  const [left = "", right = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const before = left.split(":").filter(Boolean);
  const after = right.split(":").filter(Boolean);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
