// Where a service's certificate comes from, as configuration files say it.
import { resolve } from "node:path";
import { isServiceName } from "./names.ts";

/** Where a service's certificate comes from: made under a local authority, or brought. */
export type TlsSource =
  | { readonly kind: "auto"; readonly directory: string; readonly names: readonly string[] }
  | { readonly kind: "files"; readonly certificateFile: string; readonly keyFile: string };

/** `tls` in a configuration file. */
export type TlsSection =
  | { certificate_file: string; key_file: string }
  | { auto_dir: string; names?: readonly string[] };

/**
 * The section with absolute paths.
 * @throws Error when a name can't be in a certificate
 */
export function tlsSourceOf(tls: TlsSection, base: string): TlsSource {
  if ("certificate_file" in tls) {
    return {
      kind: "files",
      certificateFile: resolve(base, tls.certificate_file),
      keyFile: resolve(base, tls.key_file),
    };
  }
  const { auto_dir, names = [] } = tls;
  const wrong = names.find((name) => !isServiceName(name));
  if (wrong !== undefined) throw new Error(`tls.names: ${wrong} is no host and no address`);
  return { kind: "auto", directory: resolve(base, auto_dir), names };
}
