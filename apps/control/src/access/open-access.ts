// Opens what callers are told from each other by, as the configuration names it.
import { readFile } from "node:fs/promises";
import { fetchTrusting } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import type { AccessConfig } from "../config/access.ts";
import type { OidcConfig } from "../config/oidc.ts";
import { type Access, type AccessSources, accessOf } from "./access.ts";
import type { KeySet } from "./key-set.ts";
import { parsePrincipals } from "./principals.ts";
import { RequestLimits } from "./request-limits.ts";
import { WatchedFile } from "./watched-file.ts";

interface Surroundings {
  readonly clock: Clock;
  /** Is told why something could not be read again; what was read before goes on. */
  readonly onFault: (fault: string) => void;
}

/**
 * Access as configured.
 * @throws ControlError CONFIG_INVALID
 */
export async function openAccessRules(
  { principalsFile, oidc, rates }: AccessConfig,
  around: Surroundings,
): Promise<Access> {
  const sources: AccessSources = {
    clock: around.clock,
    limits: new RequestLimits(rates),
    ...(principalsFile === undefined ? {} : await principalsIn(principalsFile, around)),
    ...(oidc === undefined ? {} : await tokensUnder(oidc, around)),
  };
  return accessOf(sources);
}

async function principalsIn(
  path: string,
  around: Surroundings,
): Promise<Pick<AccessSources, "principals">> {
  const file = await WatchedFile.open({ path, parse: parsePrincipals, ...around });
  return { principals: () => file.value() };
}

async function tokensUnder(
  oidc: OidcConfig,
  around: Surroundings,
): Promise<Pick<AccessSources, "verifyToken">> {
  const { verifyToken } = await import("./token-verifier.ts");
  const keys = await keysOf(oidc.keys, around);
  return { verifyToken: (token) => verifyToken(token, keys, oidc, around.clock) };
}

async function keysOf(source: OidcConfig["keys"], around: Surroundings): Promise<KeySet> {
  const { parseKeySet, RemoteKeySet } = await import("./key-set.ts");
  if ("file" in source) {
    const file = await WatchedFile.open({ path: source.file, parse: parseKeySet, ...around });
    return async (header, token) => (await file.value())(header, token);
  }
  const { url, caFile } = source;
  const fetcher =
    caFile === undefined
      ? {}
      : { fetcher: fetchTrusting({ authoritiesPem: await readFile(caFile) }) };
  return new RemoteKeySet({ url, ...around, ...fetcher }).find;
}
