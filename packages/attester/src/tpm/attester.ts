// Quotes of a TPM 2.0 through tpm2-tools: selected PCRs, signed over the verifier's nonce by an attestation key.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toBase64, toHex } from "@holdfast/core";
import { AttesterError } from "../errors.ts";
import type { TpmKey } from "./key.ts";
import { inScratch, type RunTool } from "./tools.ts";

/** Banks of PCRs with the length of their digests; SHA-1 is left out on purpose. */
const BANKS = { sha256: 32, sha384: 48, sha512: 64 } as const;

/** A bank of PCRs. */
export type TpmBank = keyof typeof BANKS;

/** Which PCRs are quoted, by bank. */
export type PcrSelection = ReadonlyMap<TpmBank, readonly number[]>;

/** A quote with everything a verifier needs beside its trust in the key. */
export interface TpmQuote {
  /** TPMS_ATTEST. */
  readonly message: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  /** TPM2B_PUBLIC of the attestation key. */
  readonly publicArea: Uint8Array;
  /** Values of the quoted PCRs: lower-case hexadecimal, by bank and index. */
  readonly pcrs: Readonly<Partial<Record<TpmBank, Readonly<Record<string, string>>>>>;
}

/** Obtains quotes over a nonce. */
export interface QuoteAttester {
  /** @throws AttesterError */
  quote(nonce: Uint8Array): Promise<TpmQuote>;
}

const MAXIMUM_NONCE = 64;
const MAXIMUM_PCR = 23;

/**
 * An attester over a TPM. Requests go one at a time: the TPM has room for three keys.
 * @throws AttesterError ATTESTER_INPUT for a selection that is empty or out of bounds
 */
export function createTpmAttester(
  run: RunTool,
  key: TpmKey,
  selection: PcrSelection,
): QuoteAttester {
  const ordered = orderSelection(selection);
  let last: Promise<unknown> = Promise.resolve();
  return {
    quote(nonce) {
      const turn = last.then(() => quoteOver(run, key, ordered, nonce));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

/** A quote as one JSON text, the form in which verifiers take TPM evidence. */
export function encodeTpmQuote({ message, signature, publicArea, pcrs }: TpmQuote): string {
  return JSON.stringify({
    ak_public: toBase64(publicArea),
    message: toBase64(message),
    signature: toBase64(signature),
    pcrs,
  });
}

type Ordered = readonly (readonly [bank: TpmBank, indices: readonly number[]])[];

function orderSelection(selection: PcrSelection): Ordered {
  // The TPM digests banks in the order asked for, indices ascending whatever was asked.
  const ordered = [...selection].map(
    ([bank, indices]) => [bank, [...new Set(indices)].toSorted((a, b) => a - b)] as const,
  );
  const bad = ordered.some(
    ([bank, indices]) =>
      !Object.hasOwn(BANKS, bank) ||
      indices.length === 0 ||
      indices.some((index) => !Number.isInteger(index) || index < 0 || index > MAXIMUM_PCR),
  );
  if (ordered.length > 0 && !bad) return ordered;
  throw new AttesterError(
    "ATTESTER_INPUT",
    `PCRs 0 to ${MAXIMUM_PCR} of ${Object.keys(BANKS).join(", ")} can be quoted, at least one`,
  );
}

async function quoteOver(
  run: RunTool,
  key: TpmKey,
  selection: Ordered,
  nonce: Uint8Array,
): Promise<TpmQuote> {
  if (nonce.length === 0 || nonce.length > MAXIMUM_NONCE) {
    throw new AttesterError("ATTESTER_INPUT", `nonce of ${nonce.length} bytes, 1 to 64 expected`);
  }
  return await inScratch(async (directory) => {
    const file = (name: string): string => join(directory, name);
    const list = selection.map(([bank, indices]) => `${bank}:${indices.join(",")}`).join("+");
    const what = ["-c", key.context, "-l", list, "-q", toHex(nonce), "-g", "sha256"];
    const files = ["-m", file("message"), "-s", file("signature"), "-o", file("pcrs")];
    await run("tpm2_quote", "-Q", ...what, ...files, "-F", "values");
    await run("tpm2_flushcontext", "-t");
    const read = async (name: string): Promise<Uint8Array> =>
      new Uint8Array(await readFile(file(name)));
    return {
      message: await read("message"),
      signature: await read("signature"),
      publicArea: key.publicArea,
      pcrs: splitValues(await read("pcrs"), selection),
    };
  });
}

/** The tools write the values one after the other, in the order of the selection. */
function splitValues(values: Uint8Array, selection: Ordered): TpmQuote["pcrs"] {
  let at = 0;
  const pcrs = selection.map(([bank, indices]) => {
    const named = indices.map((index) => {
      const value = values.subarray(at, at + BANKS[bank]);
      at += BANKS[bank];
      return [String(index), toHex(value)] as const;
    });
    return [bank, Object.fromEntries(named)] as const;
  });
  if (at !== values.length) {
    throw new AttesterError("ATTESTER_PROTOCOL", `${values.length} bytes of PCRs, ${at} expected`);
  }
  return Object.fromEntries(pcrs);
}
