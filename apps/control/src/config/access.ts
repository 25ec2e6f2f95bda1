// Who may use the services. Without rules a service is for development on one machine, which must be asked for by name.
import { resolve } from "node:path";
import { type TlsSection, type TlsSource, tlsSourceOf } from "@holdfast/channel";
import { messageOf } from "@holdfast/core";
import { type Static, Type } from "typebox";
import type { Rate } from "../access/buckets.ts";
import type { Rates } from "../access/request-limits.ts";
import { ALGORITHMS, type TokenRules } from "../access/token-rules.ts";
import { invalid } from "./invalid.ts";

const CLOSED = { additionalProperties: false };
const Path = Type.String({ minLength: 1 });

/** `access.oidc` in the file: whose tokens are taken. */
const OidcSection = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 1024 }),
    audience: Type.Union([
      Type.String({ minLength: 1 }),
      Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 16 }),
    ]),
    jwks_file: Type.Optional(Path),
    jwks_url: Type.Optional(Type.String({ maxLength: 2048 })),
    /** The authority that `jwks_url` is under; what the machine trusts when absent. */
    jwks_ca_file: Type.Optional(Path),
    algorithms: Type.Optional(
      Type.Array(Type.Enum([...ALGORITHMS]), { minItems: 1, uniqueItems: true }),
    ),
    namespaces_claim: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    name_claim: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  CLOSED,
);

const RateSection = Type.Object(
  {
    per_second: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }),
    burst: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  },
  CLOSED,
);

/** `access.rates` in the file: how often callers may ask. */
const RatesSection = Type.Object(
  {
    principal: Type.Optional(RateSection),
    address: Type.Optional(RateSection),
    failures: Type.Optional(RateSection),
  },
  CLOSED,
);

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

/** Whose tokens are taken, and where the issuer's keys are. */
export interface OidcConfig extends TokenRules {
  readonly keys: { readonly file: string } | { readonly url: string; readonly caFile?: string };
}

/** Who may use the services. */
export interface AccessConfig {
  readonly principalsFile?: string;
  readonly oidc?: OidcConfig;
  /** Absent when something in front of the services speaks TLS for them. */
  readonly tls?: TlsSource;
  readonly rates: Rates;
}

/** Many times what a busy client does, and little enough that one can't stand in everybody's way. */
const DEFAULT_RATES: Rates = {
  principal: { perSecond: 200, burst: 2000 },
  address: { perSecond: 500, burst: 5000 },
  failures: { perSecond: 0.2, burst: 20 },
};

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

function oidcOf(oidc: Static<typeof OidcSection>, base: string): OidcConfig {
  const { audience, algorithms = ALGORITHMS } = oidc;
  return {
    issuer: oidc.issuer,
    audience: [audience].flat(),
    algorithms,
    namespacesClaim: oidc.namespaces_claim ?? "holdfast_namespaces",
    nameClaim: oidc.name_claim ?? "sub",
    keys: keysOf(oidc, base),
  };
}

function keysOf(
  { jwks_file: file, jwks_url: url, jwks_ca_file: ca }: Static<typeof OidcSection>,
  base: string,
): OidcConfig["keys"] {
  if (file !== undefined && url === undefined && ca === undefined) {
    return { file: resolve(base, file) };
  }
  if (url === undefined || file !== undefined) {
    throw invalid("configuration: access.oidc needs either jwks_file or jwks_url");
  }
  const { protocol, hostname, username } = URL.parse(url) ?? { protocol: "" };
  const isSafe = protocol === "https:" || (protocol === "http:" && isLoopback(hostname ?? ""));
  if (!isSafe || username !== "") {
    throw invalid("configuration: access.oidc.jwks_url: https, or http on loopback, is expected");
  }
  return { url, ...(ca === undefined ? {} : { caFile: resolve(base, ca) }) };
}

function tlsOf(tls: TlsSection, base: string): TlsSource {
  try {
    return tlsSourceOf(tls, base);
  } catch (cause) {
    throw invalid(`configuration: access.${messageOf(cause)}`);
  }
}

function ratesOf(rates: Static<typeof RatesSection>): Rates {
  const rateOf = (kind: keyof Rates): Rate => {
    const rate = rates[kind];
    if (rate === undefined) return DEFAULT_RATES[kind];
    return { perSecond: rate.per_second, burst: rate.burst };
  };
  return {
    principal: rateOf("principal"),
    address: rateOf("address"),
    failures: rateOf("failures"),
  };
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
  return /^(localhost|::1|\[::1\])$/.test(host) || /^127(\.\d{1,3}){3}$/.test(host);
}
