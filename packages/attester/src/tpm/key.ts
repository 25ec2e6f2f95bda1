// The attestation key of a TPM: restricted, so that it signs nothing but what the TPM itself says, below the endorsement
// key. Whoever trusts it must have enrolled its name, or follow the endorsement key's certificate.
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunTool } from "./tools.ts";

/** An attestation key. */
export interface TpmKey {
  /** What the tools name the key by: a context file, or a persistent handle such as 0x81010002. */
  readonly context: string;
  /** TPM2B_PUBLIC. */
  readonly publicArea: Uint8Array;
  /** Algorithm and hash of the public area: what a verifier enrols. */
  readonly name: Uint8Array;
}

/** Kinds of key. */
export type TpmKeyKind = "ecc" | "rsa";

const SCHEME: Readonly<Record<TpmKeyKind, string>> = { ecc: "ecdsa", rsa: "rsassa" };

/**
 * Makes an attestation key below an endorsement key; its context lives in the directory and is good until the TPM starts
 * anew.
 * @throws AttesterError
 */
export async function newTpmKey(
  run: RunTool,
  directory: string,
  kind: TpmKeyKind = "ecc",
): Promise<TpmKey> {
  const file = (name: string): string => join(directory, name);
  await run("tpm2_createek", "-Q", "-c", file("ek.ctx"), "-G", "rsa", "-u", file("ek.pub"));
  // A TPM has room for three: each command leaves its keys inside unless they are put out.
  await run("tpm2_flushcontext", "-t");
  const algorithms = ["-G", kind, "-g", "sha256", "-s", SCHEME[kind]];
  const files = ["-c", file("ak.ctx"), "-u", file("ak.pub"), "-n", file("ak.name")];
  await run("tpm2_createak", "-Q", "-C", file("ek.ctx"), ...algorithms, ...files);
  await run("tpm2_flushcontext", "-t");
  await chmod(file("ak.ctx"), 0o600);
  return {
    context: file("ak.ctx"),
    publicArea: new Uint8Array(await readFile(file("ak.pub"))),
    name: new Uint8Array(await readFile(file("ak.name"))),
  };
}
