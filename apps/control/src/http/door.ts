// What all services check their callers with, from the configuration.
import { readFile } from "node:fs/promises";
import type { Config } from "../config.ts";
import { openAccess, readAccess } from "./access.ts";
import type { ServiceOptions } from "./service-app.ts";

/** What all services check their callers with. */
export type Door = Pick<ServiceOptions, "access" | "tls">;

/**
 * Reads what the configuration names.
 * @throws ControlError CONFIG_INVALID
 */
export async function openDoor({ access }: Config): Promise<Door> {
  if (access === undefined) return { access: openAccess };
  const { principalsFile, tls } = access;
  return {
    access: await readAccess(principalsFile),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            cert: await readFile(tls.certificateFile),
            key: await readFile(tls.keyFile),
            minVersion: "TLSv1.2",
            // Any certificate may be presented: which ones are known is looked up by their digest.
            requestCert: true,
            rejectUnauthorized: false,
          },
        }),
  };
}
