// Who may use the services, and what they speak to others.
import { resolve } from "node:path";
import { type Static, Type } from "typebox";
import { invalid } from "./invalid.ts";

const CLOSED = { additionalProperties: false };

/** `access` in the file. */
export const AccessSection = Type.Object(
  {
    principals_file: Type.String({ minLength: 1 }),
    tls: Type.Optional(
      Type.Object(
        {
          certificate_file: Type.String({ minLength: 1 }),
          key_file: Type.String({ minLength: 1 }),
        },
        CLOSED,
      ),
    ),
    /** Something in front of the services speaks TLS for them. */
    tls_ends_elsewhere: Type.Optional(Type.Boolean()),
  },
  CLOSED,
);
type AccessSection = Static<typeof AccessSection>;

/** Who may use the services. */
export interface AccessConfig {
  readonly principalsFile: string;
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
}

/** The section with absolute paths. */
export function accessOf({ principals_file, tls }: AccessSection, base: string): AccessConfig {
  return {
    principalsFile: resolve(base, principals_file),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            certificateFile: resolve(base, tls.certificate_file),
            keyFile: resolve(base, tls.key_file),
          },
        }),
  };
}

/**
 * Whoever can reach a service without access rules owns it, and whoever listens to plain HTTP has its tokens.
 * @throws ControlError CONFIG_INVALID
 */
export function refuseOpenDoors(
  access: AccessSection | undefined,
  listens: readonly ({ host: string } | undefined)[],
): void {
  const open = listens.find((each) => each !== undefined && !isLoopback(each.host));
  if (open === undefined) return;
  if (access === undefined) {
    throw invalid(`configuration: listening on ${open.host} needs access (who may do what)`);
  }
  if (access.tls === undefined && access.tls_ends_elsewhere !== true) {
    throw invalid(`configuration: listening on ${open.host} needs access.tls`);
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
