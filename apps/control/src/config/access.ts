// Who may use the services. Without rules a service is for development on one machine, which must be asked for by name.
import { resolve } from "node:path";
import { isLoopback, type TlsSection, type TlsSource, tlsSourceOf } from "@holdfast/channel";
import { messageOf } from "@holdfast/core";
import { type Static, Type } from "typebox";
import type { Rates } from "../access/request-limits.ts";
import { invalid } from "./invalid.ts";
import { type OidcConfig, OidcSection, oidcOf } from "./oidc.ts";
import { RatesSection, ratesOf } from "./rates.ts";

const CLOSED = { additionalProperties: false };
const Path = Type.String({ minLength: 1 });

/** `access` in the file. */
export const AccessSection = Type.Object(
  {
    principals_file: Type.Optional(Path),
    oidc: Type.Optional(OidcSection),
    tls: Type.Optional(
      Type.Union([
        Type.Object({ certificate_file: Path, key_file: Path }, CLOSED),
        Type.Object(
          { auto_dir: Path, names: Type.Optional(Type.Array(Type.String(), { maxItems: 64 })) },
          CLOSED,
        ),
      ]),
    ),
    /** Something in front of the services speaks TLS for them. */
    tls_ends_elsewhere: Type.Optional(Type.Boolean()),
    rates: Type.Optional(RatesSection),
  },
  CLOSED,
);
type AccessSection = Static<typeof AccessSection>;

/** Who may use the services. */
export interface AccessConfig {
  readonly principalsFile?: string;
  readonly oidc?: OidcConfig;
  /** Absent when something in front of the services speaks TLS for them. */
  readonly tls?: TlsSource;
  readonly rates: Rates;
}

/**
 * The section with absolute paths; undefined for development, where everybody on this machine may do everything.
 * Whoever can reach a service without rules owns it, and whoever listens to plain HTTP has its tokens.
 * @throws ControlError CONFIG_INVALID
 */
export function accessOf(
  file: { access?: AccessSection; local_development?: boolean },
  hosts: readonly string[],
  base: string,
): AccessConfig | undefined {
  if (file.local_development === true) {
    refuseOthers(file.access, hosts);
    return undefined;
  }
  if (file.access === undefined) {
    throw invalid("configuration: access (who may do what) is needed, or local_development");
  }
  const { principals_file, oidc, tls, tls_ends_elsewhere, rates = {} } = file.access;
  if (principals_file === undefined && oidc === undefined) {
    throw invalid("configuration: access needs principals_file or oidc, else nobody is let in");
  }
  if ((tls === undefined) !== (tls_ends_elsewhere === true)) {
    throw invalid("configuration: access needs either tls or tls_ends_elsewhere");
  }
  return {
    ...(principals_file === undefined ? {} : { principalsFile: resolve(base, principals_file) }),
    ...(oidc === undefined ? {} : { oidc: oidcOf(oidc, base) }),
    ...(tls === undefined ? {} : { tls: tlsOf(tls, base) }),
    rates: ratesOf(rates),
  };
}

function tlsOf(tls: TlsSection, base: string): TlsSource {
  try {
    return tlsSourceOf(tls, base);
  } catch (cause) {
    throw invalid(`configuration: access.${messageOf(cause)}`);
  }
}

function refuseOthers(access: AccessSection | undefined, hosts: readonly string[]): void {
  if (access !== undefined) {
    throw invalid("configuration: local_development asks nobody; it can't stand beside access");
  }
  const open = hosts.find((host) => !isLoopback(host));
  if (open !== undefined) {
    throw invalid(`configuration: local_development listens on loopback only, not on ${open}`);
  }
}
