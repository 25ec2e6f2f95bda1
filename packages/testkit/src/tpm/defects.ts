// TPM quotes with exactly one thing wrong, each with the checks that must fail.
import type { TpmRequest } from "@holdfast/evidence";
import { newKeys } from "../pki/party.ts";
import { AK_ATTRIBUTES, TPM_NONCE, type TpmChanges } from "./world.ts";

/** One defect. */
export interface TpmDefect {
  readonly name: string;
  /** The checks that must fail, and no other. */
  readonly fails: readonly string[];
  readonly changes?: TpmChanges;
  readonly request?: Partial<TpmRequest>;
}

const without = (bit: number): TpmChanges => ({ attributes: AK_ATTRIBUTES & ~(1 << bit) });

/** Every defect. */
export const TPM_DEFECTS: readonly TpmDefect[] = [
  { name: "bytes the TPM did not start", fails: ["tpm.format"], changes: { magic: 0xff544348 } },
  { name: "another kind of attestation", fails: ["tpm.format"], changes: { type: 0x8017 } },
  { name: "a clock that is neither", fails: ["tpm.format"], changes: { clockSafe: 2 } },
  {
    name: "a byte too many",
    fails: ["tpm.format"],
    changes: { afterSigning: (quote) => Uint8Array.of(...quote, 0) },
  },
  {
    name: "a byte too few",
    fails: ["tpm.format"],
    changes: { afterSigning: (quote) => quote.subarray(0, -1) },
  },
  {
    name: "one bank twice",
    fails: ["tpm.format"],
    changes: {
      banks: [
        { algorithm: 0x0b, name: "sha256", indices: [0] },
        { algorithm: 0x0b, name: "sha256", indices: [7] },
      ],
    },
  },
  {
    name: "a bank nobody knows",
    fails: ["tpm.format"],
    changes: { banks: [{ algorithm: 0x12, name: "sha256", indices: [0] }] },
  },
  { name: "a key of another name", fails: ["tpm.ak"], request: { tpm: { akNames: ["000b00"] } } },
  { name: "a key that is not restricted", fails: ["tpm.ak-attributes"], changes: without(16) },
  { name: "a key that does not sign", fails: ["tpm.ak-attributes"], changes: without(18) },
  { name: "a key that may leave its TPM", fails: ["tpm.ak-attributes"], changes: without(1) },
  { name: "a key that may leave its parent", fails: ["tpm.ak-attributes"], changes: without(4) },
  { name: "a key made elsewhere", fails: ["tpm.ak-attributes"], changes: without(5) },
  {
    name: "a key that decrypts",
    fails: ["tpm.ak-attributes"],
    changes: { attributes: AK_ATTRIBUTES | (1 << 17) },
  },
  {
    name: "signed by another key",
    fails: ["tpm.signature"],
    changes: { signer: newKeys("p256").privateKey },
  },
  {
    name: "firmware version changed after signing",
    fails: ["tpm.signature"],
    changes: {
      afterSigning: (quote) => {
        const changed = quote.slice();
        changed[100] = (changed[100] ?? 0) ^ 1;
        return changed;
      },
    },
  },
  { name: "signed with SHA-1", fails: ["tpm.signature"], changes: { hash: "sha1" } },
  {
    name: "over no PCR",
    fails: ["tpm.selection"],
    changes: { banks: [{ algorithm: 0x0b, name: "sha256", indices: [] }] },
  },
  { name: "over no bank", fails: ["tpm.selection"], changes: { banks: [] } },
  {
    name: "over the SHA-1 bank alone",
    fails: ["tpm.selection"],
    changes: { banks: [{ algorithm: 0x04, name: "sha1", indices: [0, 7] }] },
  },
  {
    name: "a PCR that is asked for is not quoted",
    fails: ["tpm.selection"],
    changes: { bare: true },
    request: { tpm: { requiredPcrs: [0, 4] } },
  },
  {
    name: "another value",
    fails: ["tpm.pcr-digest"],
    changes: { values: (values) => void values.set(7, new Uint8Array(32)) },
  },
  {
    name: "a value missing",
    fails: ["tpm.pcr-digest"],
    changes: { values: (values) => void values.delete(16) },
  },
  {
    name: "values under other indices",
    fails: ["tpm.pcr-digest"],
    changes: {
      values: (values) => {
        const [zero, seven] = [values.get(0), values.get(7)];
        if (zero && seven) values.set(0, seven).set(7, zero);
      },
    },
  },
  {
    name: "another digest",
    fails: ["tpm.pcr-digest"],
    changes: { digest: new Uint8Array(32) },
  },
  { name: "another nonce", fails: ["tpm.nonce"], request: { nonce: new Uint8Array(32) } },
  {
    name: "a nonce that goes on",
    fails: ["tpm.nonce"],
    request: { nonce: TPM_NONCE.subarray(0, 16) },
  },
  { name: "no nonce", fails: ["tpm.nonce"], request: { nonce: new Uint8Array() } },
  {
    name: "report data, which no quote has",
    fails: ["tpm.report-data"],
    request: { reportData: new Uint8Array(64) },
  },
  {
    name: "another value of a PCR that is asked for",
    fails: ["expect.pcrs.7"],
    request: { expect: new Map([["pcrs.7", ["00".repeat(32)]]]) },
  },
];
