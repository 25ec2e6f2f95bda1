// The way into the services: what they present, and whom they let in. One for all of a process.
import { ServiceTls } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import type { FastifyBaseLogger } from "fastify";
import type { Config } from "../config.ts";
import { openAccess, readAccess } from "./access.ts";
import type { ServiceOptions } from "./service-app.ts";

/** The way into the services. */
export interface Door extends Pick<ServiceOptions, "access" | "tls"> {
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
    return { access: openAccess, reload: async () => undefined, close: () => undefined };
  }
  const access = await readAccess(config.principalsFile);
  const onFault = (reason: string): void => logger.error({ reason }, "certificate not replaced");
  const tls =
    config.tls === undefined ? undefined : await ServiceTls.open(config.tls, { clock, onFault });
  return {
    access,
    ...(tls === undefined ? {} : { tls }),
    reload: async () => tls?.renew(),
    close: () => tls?.close(),
  };
}
