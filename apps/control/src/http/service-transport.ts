// How one service reaches another.
import { readFile } from "node:fs/promises";
import { fetchTrusting } from "@holdfast/channel";
import { fetchTransport } from "@holdfast/contract";
import type { HttpTransport } from "@holdfast/core";

/**
 * A transport to a service.
 * @param options.tokenFile file of the token that the service knows us by
 * @param options.caFile file of the authority that the service is under; what the machine trusts when absent
 */
export async function serviceTransport(
  url: string,
  options: { tokenFile?: string; caFile?: string } = {},
): Promise<HttpTransport> {
  const { tokenFile, caFile } = options;
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim();
  return fetchTransport(url, {
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(caFile === undefined || !url.startsWith("https:")
      ? {}
      : { fetcher: fetchTrusting({ authoritiesPem: await readFile(caFile) }) }),
  });
}
