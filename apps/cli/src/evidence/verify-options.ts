// The options of `evidence verify`, parsed: bytes in hexadecimal, a time with its zone, claims that are insisted on.
import { fromHex } from "@holdfast/core";
import type { EvidenceType, Expectations } from "@holdfast/evidence";

/** A claim and a value that is accepted for it. */
export type Expectation = readonly [name: string, value: string];

/** What the command line asks for. */
export interface VerifyOptions {
  readonly type?: EvidenceType;
  readonly endorsements?: readonly string[];
  readonly collateralCache?: string;
  readonly root?: readonly string[];
  readonly at?: Date | "document";
  readonly nonce?: Uint8Array;
  readonly reportData?: Uint8Array;
  readonly csr?: string;
  readonly expect?: readonly Expectation[];
  readonly acceptTcb?: readonly string[];
  readonly waive?: readonly string[];
  readonly allowDebug?: boolean;
}

/** Bytes in hexadecimal, `0x` before them or not. */
export function parseHex(text: string): Uint8Array | undefined {
  const [, digits] = /^(?:0x)?((?:[0-9a-fA-F]{2}){1,1024})$/.exec(text) ?? [];
  return digits === undefined ? undefined : fromHex(digits);
}

/** A time with its zone, or "document". */
export function parseTime(text: string): Date | "document" | undefined {
  if (text === "document") return text;
  const time = new Date(text);
  const named = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/i.test(text);
  return named && !Number.isNaN(time.getTime()) ? time : undefined;
}

/** `NAME=VALUE`. */
export function parseExpectation(text: string): Expectation | undefined {
  const [, name, value] = /^([A-Za-z0-9_.-]{1,128})=(\S{1,4096})$/.exec(text) ?? [];
  return name === undefined || value === undefined ? undefined : [name, value];
}

/** Claims insisted on, under the names the evidence has for them; of several values for one, each is accepted. */
export function expectationsFor(wanted: readonly Expectation[], claims: object): Expectations {
  const expectations = new Map<string, readonly string[]>();
  for (const [written, value] of wanted) {
    const name = claimName(written, claims);
    expectations.set(name, [...(expectations.get(name) ?? []), bare(value, name, claims)]);
  }
  return expectations;
}

/** Case does not matter, and a PCR is a PCR wherever a kind of evidence keeps them. */
function claimName(written: string, claims: object): string {
  const names = Object.keys(claims);
  const [first = "", ...rest] = written.split(".");
  const [, index] = /^pcrs?\.?(\d{1,2})$/i.exec(written) ?? [];
  if (index !== undefined && !names.includes(written)) {
    return `${names.includes("nonZeroPcrs") ? "nonZeroPcrs" : "pcrs"}.${Number(index)}`;
  }
  const same = names.find((name) => name.toLowerCase() === first.toLowerCase());
  return [same ?? first, ...rest].join(".");
}

/** Without `0x`, unless the evidence writes it so itself. */
function bare(value: string, name: string, claims: object): string {
  const found: unknown = (claims as Readonly<Record<string, unknown>>)[name];
  const prefixed = typeof found === "string" && found.startsWith("0x");
  return prefixed ? value : value.replace(/^0x(?=[0-9a-fA-F]+$)/, "");
}
