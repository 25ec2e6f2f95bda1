// The store as the configuration describes it: over the data directory, asking the named sources alone.
import { join } from "node:path";
import { fetchTransport } from "@holdfast/contract";
import type { Clock, CryptoPort } from "@holdfast/core";
import type { Config } from "../config.ts";
import type { Report } from "./disk-cache.ts";
import type { CollateralSources } from "./sources.ts";
import { CollateralStore } from "./store.ts";

type StoreConfig = Pick<Config, "dataDirectory" | "collateralSources" | "simulatedRoots">;

/** Opens the store of a service. The transports follow no redirection away from their source. */
export async function openStore(
  { dataDirectory, collateralSources, simulatedRoots }: StoreConfig,
  { clock, crypto }: { readonly clock: Clock; readonly crypto: CryptoPort },
  report: Report,
): Promise<CollateralStore> {
  const sources: CollateralSources = Object.fromEntries(
    Object.entries(collateralSources).map(([vendor, url]) => [vendor, fetchTransport(url)]),
  );
  const directory = join(dataDirectory, "collateral");
  return await CollateralStore.open({
    directory,
    sources,
    anchors: simulatedRoots,
    clock,
    crypto,
    report,
  });
}
