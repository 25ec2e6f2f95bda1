// How one service reaches another.
import { readFile } from "node:fs/promises";
import { fetchTrusting } from "@holdfast/channel";
import { fetchTransport, ServiceError } from "@holdfast/contract";
import type { HttpTransport } from "@holdfast/core";

/**
 * A transport to a service.
 * @param options.tokenFile file of the token that the service knows us by
 * @param options.caFile file of the authorities that the service may be under; what the machine trusts when absent. It is
 *   read again when the service is under none of them: another one may have taken over
 */
export async function serviceTransport(
  url: string,
  options: { tokenFile?: string; caFile?: string } = {},
): Promise<HttpTransport> {
  const { tokenFile, caFile } = options;
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim();
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (caFile === undefined || !url.startsWith("https:")) return fetchTransport(url, { headers });
  const under = (authoritiesPem: string): HttpTransport =>
    fetchTransport(url, { headers, fetcher: fetchTrusting({ authoritiesPem }) });
  let trusted = await readFile(caFile, "utf8");
  let transport = under(trusted);
  return {
    async request(request) {
      try {
        return await transport.request(request);
      } catch (thrown) {
        if (!(thrown instanceof ServiceError) || thrown.code !== "SERVICE_UNTRUSTED") throw thrown;
        const present = await readFile(caFile, "utf8").catch(() => trusted);
        if (present === trusted) throw thrown;
        trusted = present;
        transport = under(trusted);
        // Nothing of the request was sent to whom nobody trusts.
        return await transport.request(request);
      }
    },
  };
}
