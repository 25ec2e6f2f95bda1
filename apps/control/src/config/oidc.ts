// Whose tokens are taken, and where the issuer's keys are.
import { resolve } from "node:path";
import { isLoopback } from "@holdfast/channel";
import { type Static, Type } from "typebox";
import { ALGORITHMS, type TokenRules } from "../access/token-rules.ts";
import { invalid } from "./invalid.ts";

const CLOSED = { additionalProperties: false };
const Path = Type.String({ minLength: 1 });

/** `access.oidc` in the file. */
export const OidcSection = Type.Object(
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

type OidcSection = Static<typeof OidcSection>;

/** Whose tokens are taken, and where the issuer's keys are. */
export interface OidcConfig extends TokenRules {
  readonly keys: { readonly file: string } | { readonly url: string; readonly caFile?: string };
}

/**
 * The section with its defaults and absolute paths.
 * @throws ControlError CONFIG_INVALID
 */
export function oidcOf(oidc: OidcSection, base: string): OidcConfig {
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
  { jwks_file: file, jwks_url: url, jwks_ca_file: ca }: OidcSection,
  base: string,
): OidcConfig["keys"] {
  if (file !== undefined && url === undefined && ca === undefined) {
    return { file: resolve(base, file) };
  }
  if (url === undefined || file !== undefined) {
    throw invalid("configuration: access.oidc needs either jwks_file or jwks_url");
  }
  const { protocol = "", hostname = "", username = "" } = URL.parse(url) ?? {};
  const isPlain = protocol === "http:" && isLoopback(hostname) && ca === undefined;
  if ((protocol !== "https:" && !isPlain) || username !== "") {
    throw invalid("configuration: access.oidc.jwks_url: https, or http on loopback, is expected");
  }
  return { url, ...(ca === undefined ? {} : { caFile: resolve(base, ca) }) };
}
