// What lets people into a platform, made on its first start: a token for the administrator, one for CCFaaS towards VaaS,
// and the file of principals with their digests. The services make their certificates themselves.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  changePrincipals,
  newToken,
  type Principal,
  ROLES,
  tokenDigest,
} from "../access/principals.ts";
import { readPrivateFile, writeNewSecret, writeWholeFile } from "../files.ts";

/** Files of a platform's access; below its data directory. */
export interface PlatformAccess {
  readonly principalsFile: string;
  readonly administratorTokenFile: string;
  readonly ccfaasTokenFile: string;
  /** Of the attestation service, which knows nobody else. */
  readonly attestationTokenFile: string;
  /** Where the services keep their authority and certificates. */
  readonly tlsDirectory: string;
  /** The authority's certificate, once a service has started. */
  readonly caFile: string;
}

/** Where the files are. */
export function accessFiles(dataDirectory: string): PlatformAccess {
  const below = (...names: string[]): string => join(dataDirectory, ...names);
  return {
    principalsFile: below("access", "principals.json"),
    administratorTokenFile: below("access", "administrator.token"),
    ccfaasTokenFile: below("access", "ccfaas.token"),
    attestationTokenFile: below("access", "attestation.token"),
    tlsDirectory: below("tls"),
    caFile: below("tls", "ca.pem"),
  };
}

/**
 * Makes what is missing; what is there stays. A token whose file is gone, or that was revoked, is replaced by a new one.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT
 */
export async function prepareAccess(dataDirectory: string): Promise<PlatformAccess> {
  const files = accessFiles(dataDirectory);
  await mkdir(join(dataDirectory, "access"), { recursive: true, mode: 0o700 });
  await prepareToken(files.principalsFile, files.administratorTokenFile, {
    name: "administrator",
    roles: ROLES,
  });
  await prepareToken(files.principalsFile, files.ccfaasTokenFile, {
    name: "ccfaas",
    roles: ["reader", "operator"],
  });
  return files;
}

/**
 * Makes the token of the attestation service's administrator, unless it is there.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE
 */
export async function prepareAttestationToken(dataDirectory: string): Promise<string> {
  const { attestationTokenFile: file } = accessFiles(dataDirectory);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Services that share the directory may start together, and all go by the first one's token.
  const made = await writeNewSecret(file, `${newToken()}\n`);
  if (!made) await readPrivateFile(file, "token");
  return file;
}

async function prepareToken(
  principalsFile: string,
  tokenFile: string,
  principal: Principal,
): Promise<void> {
  await changePrincipals(principalsFile, async (principals) => {
    const known = principals.find(({ name }) => name === principal.name);
    if (known?.token_sha256 !== undefined && known.token_sha256 === (await digestIn(tokenFile))) {
      return principals;
    }
    const token = newToken();
    await writeWholeFile(tokenFile, `${token}\n`, { secret: true });
    return [
      ...principals.filter((each) => each !== known),
      { ...principal, ...known, token_sha256: tokenDigest(token) },
    ];
  });
}

async function digestIn(tokenFile: string): Promise<string | undefined> {
  if (!existsSync(tokenFile)) return undefined;
  return tokenDigest((await readPrivateFile(tokenFile, "token")).trim());
}
