// The way into the services: what they present, and whom they let in. One for all of a process.
import { ServiceTls } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import type { FastifyBaseLogger } from "fastify";
import { openAccess } from "../access/access.ts";
import { openAccessRules } from "../access/open-access.ts";
import type { Config } from "../config.ts";
import type { ServiceOptions } from "./service-app.ts";

/** The way into the services. */
export interface Door extends Pick<ServiceOptions, "access" | "tls" | "isBehindProxy"> {
  /** Reads again what may have changed on disk. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Reads what the configuration names, or makes it.
 * @throws ControlError CONFIG_INVALID
 * @throws ServiceTlsError TLS_AUTHORITY_UNUSABLE, TLS_FILES_UNUSABLE
 */
export async function openDoor(
  { access: config }: Config,
  { clock, logger }: { clock: Clock; logger: FastifyBaseLogger },
): Promise<Door> {
  if (config === undefined) {
    logger.warn("local development: plain HTTP, and nobody is asked who he is");
    return {
      access: openAccess,
      isBehindProxy: false,
      reload: async () => undefined,
      close: () => undefined,
    };
  }
  const onFault = (reason: string): void => logger.error({ reason }, "not read again");
  const around = { clock, onFault };
  const access = await openAccessRules(config, around);
  const tls = config.tls === undefined ? undefined : await ServiceTls.open(config.tls, around);
  return {
    access,
    isBehindProxy: tls === undefined,
    ...(tls === undefined ? {} : { tls }),
    reload: async () => tls?.renew(),
    close: () => tls?.close(),
  };
}
