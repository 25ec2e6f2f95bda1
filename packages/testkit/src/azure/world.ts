// Evidence of a virtual machine on Azure, under keys of our own: an SNP report over the paravisor's claims, and a quote of
// the virtual TPM by the key in those claims.
import { createHash, createPublicKey } from "node:crypto";
import { concat } from "@holdfast/core";
import { type AzureEvidence, type AzureRequest, parseAzureJson } from "@holdfast/evidence";
import { newSnpEvidence, type SnpChanges, type SnpWorld } from "../snp/world.ts";
import { newTpmEvidence, TPM_NONCE, type TpmChanges } from "../tpm/world.ts";

/** What to change; everything else is right. */
export interface AzureChanges {
  readonly snp?: SnpChanges;
  readonly tpm?: TpmChanges;
  /** Changes the claims before they are hashed. */
  readonly claims?: (claims: AzureRuntimeClaims) => void;
  /** Changes the whole HCL report afterwards. */
  readonly hcl?: (report: Uint8Array) => Uint8Array;
}

/** The paravisor's claims. */
export interface AzureRuntimeClaims {
  keys: Record<string, unknown>[];
  "vm-configuration": Record<string, unknown>;
  "user-data": string;
}

/** Where the claims start in an HCL report. */
export const HCL_CLAIMS = 1236;
export const AZURE_USER_DATA: Uint8Array = new Uint8Array(64).fill(0x0a);

/** Evidence with the request under which it is affirmed when nothing is changed. */
export async function newAzureEvidence(
  world: SnpWorld,
  changes: AzureChanges = {},
): Promise<{ evidence: AzureEvidence; request: AzureRequest }> {
  const tpm = await newTpmEvidence({ kind: "rsassa", bare: true, ...changes.tpm });
  const claims: AzureRuntimeClaims = {
    keys: [{ kid: "HCLAkPub", ...jwkOf(tpm.evidence.key?.spki ?? new Uint8Array()) }],
    "vm-configuration": { "secure-boot": true, vmUniqueId: "1B2C" },
    "user-data": Buffer.from(AZURE_USER_DATA).toString("hex").toUpperCase(),
  };
  changes.claims?.(claims);
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const hash = new Uint8Array(createHash("sha256").update(bytes).digest());
  const snp = await newSnpEvidence(world, {
    ...changes.snp,
    fields: { reportData: concat(hash, new Uint8Array(32)), ...changes.snp?.fields },
  });
  const report = hclReport(snp.evidence, bytes);
  const { signature, pcrs, quote } = tpm.evidence;
  if (signature.kind !== "rsa") throw new Error("an RSA attestation key is expected");
  const evidence = parseAzureJson({
    version: 1,
    hcl_report: Buffer.from(changes.hcl?.(report) ?? report).toString("base64url"),
    tpm_quote: {
      message: Buffer.from(quote).toString("hex"),
      signature: Buffer.from(signature.value).toString("hex"),
      pcrs: [],
    },
  });
  return {
    evidence: { ...evidence, tpm: { ...evidence.tpm, pcrs } },
    request: { ...snp.request, nonce: TPM_NONCE, reportData: AZURE_USER_DATA },
  };
}

function hclReport(hardware: Uint8Array, claims: Uint8Array): Uint8Array {
  const head = new Uint8Array(32);
  head.set(new TextEncoder().encode("HCLA"));
  head[4] = 2;
  const description = new Uint8Array(20);
  const view = new DataView(description.buffer);
  view.setUint32(0, 20 + claims.length, true);
  view.setUint32(4, 1, true);
  view.setUint32(8, 2, true);
  view.setUint32(12, 1, true);
  view.setUint32(16, claims.length, true);
  return concat(head, hardware, description, claims, new Uint8Array(16));
}

function jwkOf(spki: Uint8Array): Record<string, unknown> {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  return { ...key.export({ format: "jwk" }) };
}
