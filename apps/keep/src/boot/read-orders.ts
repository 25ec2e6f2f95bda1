// The keep's two orders: where to attest, and what to serve. The second may be long in coming; it comes once, and the
// stream ends with it. A stream that ends before is a loader that is gone.
import type { Readable } from "node:stream";
import { messageOf } from "@holdfast/core";
import {
  type Assignment,
  type BootConfig,
  MAXIMUM_CONFIG,
  parseAssignment,
  parseBootConfig,
} from "../config.ts";
import { BootError } from "../errors.ts";
import { readLines } from "../read-lines.ts";

/** Orders as they come. Both reject with BootError BOOT_CONFIG when the loader is gone or tells anything else. */
export interface Orders {
  boot(): Promise<BootConfig>;
  /**
   * Waits as long as it takes.
   * @param arrived called when it has come, before anybody looks at it
   * @throws BootError BOOT_POLICY, BOOT_ATTESTATION_URL as well
   */
  assignment(boot: BootConfig, arrived?: () => void): Promise<Assignment>;
}

/** Time that the stream may take to end after its last line. */
const PATIENCE_MS = 10_000;

/** Orders from a stream. */
export function readOrders(stream: Readable): Orders {
  const lines = readLines(stream, MAXIMUM_CONFIG);
  const next = async (): Promise<string | undefined> => {
    try {
      return (await lines.next()).value;
    } catch (cause) {
      throw new BootError("BOOT_CONFIG", `orders can't be read: ${messageOf(cause)}`, { cause });
    }
  };
  const demand = async (what: string): Promise<string> => {
    const line = await next();
    if (line !== undefined) return line;
    throw new BootError("BOOT_CONFIG", `no ${what} came from the loader`);
  };
  return {
    boot: async () => parseBootConfig(await demand("configuration")),
    async assignment(boot, arrived = () => undefined) {
      const line = await demand("assignment");
      arrived();
      const assignment = parseAssignment(line, boot);
      const timer = setTimeout(() => stream.destroy(new Error("it does not end")), PATIENCE_MS);
      try {
        if ((await next()) === undefined) return assignment;
      } finally {
        clearTimeout(timer);
      }
      throw new BootError("BOOT_CONFIG", "the loader assigned the keep twice");
    },
  };
}
