// Evidence of Azure's virtual machines with exactly one thing wrong, each with the checks that must fail.
import type { AzureRequest } from "@holdfast/evidence";
import { type Defect, defectsOf } from "../defect.ts";
import { newKeys } from "../pki/party.ts";
import { type AzureChanges, HCL_CLAIMS } from "./world.ts";

const flip = (at: number) => (report: Uint8Array) => {
  const changed = report.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

/** The machine's id in the claims, changed in its last digit. */
const renamed = (report: Uint8Array) =>
  flip(Buffer.from(report).indexOf("1B2C", HCL_CLAIMS) + 3)(report);

/** Every defect of what Azure adds; those of the report and of the quote have tables of their own. */
export const AZURE_DEFECTS: readonly Defect<AzureChanges, AzureRequest>[] = defectsOf<
  AzureChanges,
  AzureRequest
>([
  ["another magic", ["azure.format"], { hcl: flip(0) }],
  ["another version", ["azure.format"], { hcl: flip(5) }],
  ["another report type", ["azure.format"], { hcl: flip(1224) }],
  ["another hash", ["azure.format"], { hcl: flip(1228) }],
  ["claims that are longer than the report", ["azure.format"], { hcl: flip(1234) }],
  [
    "something after the claims",
    ["azure.format"],
    { hcl: (report) => Uint8Array.of(...report, 1) },
  ],
  [
    "two attestation keys",
    ["azure.format"],
    { claims: ({ keys }) => void keys.push({ ...keys[0] }) },
  ],
  ["no attestation key", ["azure.format"], { claims: ({ keys }) => void keys.pop() }],
  ["claims changed after they were hashed", ["azure.binding"], { hcl: renamed }],
  [
    "report data that carries more than the hash",
    ["azure.binding"],
    { snp: { fields: { reportData: new Uint8Array(64).fill(7) } } },
  ],
  ["hardware in debug mode", ["snp.debug"], { snp: { fields: { policy: 0xb0000n } } }],
  [
    "hardware report of another key",
    ["snp.signature"],
    { snp: { signer: newKeys("p384").privateKey } },
  ],
  ["quote of another key", ["tpm.signature"], { tpm: { signer: newKeys("rsa2048").privateKey } }],
  ["quote of an old nonce", ["tpm.nonce"], { tpm: { nonce: new Uint8Array(32) } }],
  [
    "PCR values that were not quoted",
    ["tpm.pcr-digest"],
    { tpm: { values: (values) => void values.set(7, new Uint8Array(32)) } },
  ],
  [
    "other user data",
    ["azure.user-data"],
    { claims: (claims) => void Object.assign(claims, { "user-data": "00" }) },
  ],
  [
    "another measurement",
    ["expect.measurement"],
    {},
    { expect: new Map([["measurement", ["00".repeat(48)]]]) },
  ],
]);
