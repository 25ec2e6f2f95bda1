// Loopback ports that nobody listens on at this moment, and that no outgoing connection is given by the system.
import { freePortRange } from "../../apps/cli/src/processes/ports.ts";

/** Free ports, each different. */
export async function freePorts(count: number): Promise<number[]> {
  const first = await freePortRange(count);
  return Array.from({ length: count }, (_, index) => first + index);
}
