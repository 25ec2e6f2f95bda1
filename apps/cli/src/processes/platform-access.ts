// What lets people into a platform, made on its first start: a token for the administrator, one for CCFaaS towards VaaS,
// and the file of principals with their digests. The services make their certificates themselves.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  changePrincipals,
  newToken,
  type Principal,
  ROLES,
  readPrincipals,
  tokenDigest,
} from "../access/principals.ts";
import { readPrivateFile, writeWholeFile } from "../files.ts";

/** Files of a platform's access; below its data directory. */
export interface PlatformAccess {
  readonly principalsFile: string;
  readonly administratorTokenFile: string;
  readonly ccfaasTokenFile: string;
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

async function prepareToken(
  principalsFile: string,
  tokenFile: string,
  principal: Principal,
): Promise<void> {
  const known = (await readPrincipals(principalsFile)).find(({ name }) => name === principal.name);
  if (known !== undefined && existsSync(tokenFile)) {
    const token = (await readPrivateFile(tokenFile, "token")).trim();
    if (tokenDigest(token) === known.token_sha256) return;
  }
  const token = newToken();
  await writeWholeFile(tokenFile, `${token}\n`, { secret: true });
  await changePrincipals(principalsFile, (principals) => [
    ...principals.filter(({ name }) => name !== principal.name),
    { ...principal, ...known, token_sha256: tokenDigest(token) },
  ]);
}
