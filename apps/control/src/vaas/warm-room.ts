// How many keeps may wait for a policy: each takes memory of the keeps to come, and is good for nothing without a port.
import type { VaasContext } from "./context.ts";

/** What a keep that waits is counted with, its loader included. */
export const WAITING_MIB = 192;

/** How many keeps may wait now. */
export async function warmRoom({ config, store, launcher }: VaasContext): Promise<number> {
  if (config.warm === 0) return 0;
  const living = await store.keeps.living();
  const total = config.maxMemoryMibTotal;
  const used = living
    .filter(({ node }) => node === launcher.node)
    .reduce((sum, { maxMemoryMib }) => sum + maxMemoryMib, 0);
  const byMemory = total === undefined ? config.warm : Math.floor((total - used) / WAITING_MIB);
  const ports = config.portMax - config.portMin + 1;
  const taken = living.filter(({ host, port }) => host === config.host && port !== undefined);
  return Math.max(0, Math.min(config.warm, byMemory, ports - taken.length));
}
