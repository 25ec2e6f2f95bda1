// Profiles: one private file that says where the services of a platform are and how one is let in. `holdfast up` writes
// one; every command that speaks to services reads one.
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { NAMESPACE_NAME } from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import { CliError } from "../errors.ts";
import { readPrivateFile, writeWholeFile } from "../files.ts";
import { parseServiceUrl } from "../services/addresses.ts";

/** Services that a profile may name. */
export const SERVICES = ["ccfaas", "vaas", "s3", "attestation"] as const;
export type ServiceName = (typeof SERVICES)[number];

/** A profile, its paths absolute. */
export interface Profile {
  readonly file: string;
  readonly urls: Readonly<Partial<Record<ServiceName, string>>>;
  /** Certificate of the authority that the services' certificates hang under, PEM. */
  readonly caFile?: string;
  /** The same as text. */
  readonly caPem?: string;
  readonly tokenFile?: string;
  readonly token?: string;
  /** With the token of the attestation service's administrator. */
  readonly attestationTokenFile?: string;
  /** Shown to services that know their callers by certificates. */
  readonly identity?: { readonly certificateFile: string; readonly keyFile: string };
  readonly namespace?: string;
}

/** Where `holdfast up` writes its profile unless told otherwise. */
export const DEFAULT_PROFILE = "holdfast-data/profile.json";
const TEXTS = [
  ...SERVICES,
  "ca_file",
  "ca_pem",
  "token_file",
  "token",
  "attestation_token_file",
  "certificate_file",
  "key_file",
  "namespace",
] as const;

/**
 * The profile to go by: the one that was named, else that of the environment, else `holdfast up`'s in this directory.
 * @returns undefined when none was named and none is there
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT
 */
export async function findProfile(
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Profile | undefined> {
  const asked = named ?? nonEmpty(environment["HOLDFAST_PROFILE"]);
  if (asked === undefined && !existsSync(DEFAULT_PROFILE)) return undefined;
  return await readProfile(asked ?? DEFAULT_PROFILE);
}

/**
 * Reads a profile.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE when others than its owner may read or change it, CLI_INPUT
 */
export async function readProfile(file: string): Promise<Profile> {
  const text = await readPrivateFile(file, "profile");
  try {
    return profileOf(JSON.parse(text), resolve(file));
  } catch (cause) {
    throw new CliError("CLI_INPUT", `profile ${file} is not one: ${messageOf(cause)}`, {
      hint: "`holdfast up` writes a profile; docs/reference/control-plane.md says what stands in it",
    });
  }
}

/** Writes a profile for its owner alone; paths in it may be relative to it. */
export async function writeProfile(
  file: string,
  profile: Readonly<Partial<Record<(typeof TEXTS)[number], string>>>,
): Promise<void> {
  await writeWholeFile(file, `${JSON.stringify(profile, undefined, 2)}\n`, { secret: true });
}

function profileOf(untrusted: unknown, file: string): Profile {
  const texts = textsOf(untrusted);
  const urls: Partial<Record<ServiceName, string>> = {};
  for (const name of SERVICES) {
    const text = texts[name];
    if (text === undefined) continue;
    const url = parseServiceUrl(text);
    if (url === undefined) throw new Error(`${name}: https://HOST:PORT is expected`);
    urls[name] = url;
  }
  const { ca_file: ca, ca_pem: caPem, token_file: tokenFile, token, namespace } = texts;
  if (ca !== undefined && caPem !== undefined) throw new Error("ca_file or ca_pem");
  if (token !== undefined && tokenFile !== undefined) throw new Error("token or token_file");
  const { certificate_file: certificate, key_file: key } = texts;
  const attestationToken = texts.attestation_token_file;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new Error("certificate_file and key_file belong together");
  }
  if (namespace !== undefined && !NAMESPACE_NAME.test(namespace)) {
    throw new Error("namespace: small letters, digits and dashes are expected");
  }
  const base = dirname(file);
  return {
    file,
    urls,
    ...(ca === undefined ? {} : { caFile: resolve(base, ca) }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(base, tokenFile) }),
    ...(token === undefined ? {} : { token }),
    ...(attestationToken === undefined
      ? {}
      : { attestationTokenFile: resolve(base, attestationToken) }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { identity: { certificateFile: resolve(base, certificate), keyFile: resolve(base, key) } }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function textsOf(untrusted: unknown): Partial<Record<(typeof TEXTS)[number], string>> {
  if (typeof untrusted !== "object" || untrusted === null || Array.isArray(untrusted)) {
    throw new Error("an object is expected");
  }
  const known: readonly string[] = TEXTS;
  for (const [name, value] of Object.entries(untrusted)) {
    if (!known.includes(name)) throw new Error(`${name} is not known`);
    if (typeof value !== "string" || value === "") throw new Error(`${name}: a text is expected`);
  }
  return untrusted;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
