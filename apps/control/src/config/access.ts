// Who may use the services. Without rules a service is for development on one machine, which must be asked for by name.
import { resolve } from "node:path";
import { isServiceName, type TlsSource } from "@holdfast/channel";
import { type Static, Type } from "typebox";
import { invalid } from "./invalid.ts";

const CLOSED = { additionalProperties: false };
const Path = Type.String({ minLength: 1 });

/** `access` in the file. */
export const AccessSection = Type.Object(
  {
    principals_file: Path,
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
  },
  CLOSED,
);
type AccessSection = Static<typeof AccessSection>;

/** Who may use the services. */
export interface AccessConfig {
  readonly principalsFile: string;
  /** Absent when something in front of the services speaks TLS for them. */
  readonly tls?: TlsSource;
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
  const { principals_file, tls, tls_ends_elsewhere } = file.access;
  if ((tls === undefined) !== (tls_ends_elsewhere === true)) {
    throw invalid("configuration: access needs either tls or tls_ends_elsewhere");
  }
  return {
    principalsFile: resolve(base, principals_file),
    ...(tls === undefined ? {} : { tls: tlsOf(tls, base) }),
  };
}

function tlsOf(tls: NonNullable<AccessSection["tls"]>, base: string): TlsSource {
  if ("certificate_file" in tls) {
    return {
      kind: "files",
      certificateFile: resolve(base, tls.certificate_file),
      keyFile: resolve(base, tls.key_file),
    };
  }
  const { auto_dir, names = [] } = tls;
  const wrong = names.find((name) => !isServiceName(name));
  if (wrong !== undefined) {
    throw invalid(`configuration: access.tls.names: ${wrong} is no host and no address`);
  }
  return { kind: "auto", directory: resolve(base, auto_dir), names };
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

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
