// Where the three services listen, and what each must know.
import { join, resolve } from "node:path";
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Listen = { host: Type.String({ minLength: 1 }), port: Port };

/** `vaas` in the file. */
export const VaasSection = Type.Object(Listen, CLOSED);

/** `ccfaas` in the file. */
export const CcfaasSection = Type.Object(
  {
    ...Listen,
    vaas_url: Type.String({ pattern: "^https?://" }),
    vaas_token_file: Type.Optional(Type.String({ minLength: 1 })),
    /** The authority that VaaS is under; what the machine trusts when absent. */
    vaas_ca_file: Type.Optional(Type.String({ minLength: 1 })),
    /** Who it is toward keeps: several on one database must be the same. */
    identity_file: Type.Optional(Type.String({ minLength: 1 })),
    /** How long VaaS is asked again while it does not answer; 5 s when absent. */
    vaas_patience_ms: Type.Optional(Type.Integer({ minimum: 0 })),
    /** How long a connection to a keep may stand still; a minute when absent. */
    silence_ms: Type.Optional(Type.Integer({ minimum: 100 })),
  },
  CLOSED,
);

/** `s3` in the file. */
export const S3Section = Type.Object(
  {
    ...Listen,
    endpoint: Type.Optional(Type.String({ pattern: "^https?://" })),
    force_path_style: Type.Optional(Type.Boolean()),
    region: Type.Optional(Type.String()),
    /** How long a copy waits for the next bytes of either side; a minute when absent. */
    silence_ms: Type.Optional(Type.Integer({ minimum: 100 })),
  },
  CLOSED,
);

/** What CCFaaS listens on and how it reaches VaaS. */
export interface CcfaasConfig {
  readonly host: string;
  readonly port: number;
  readonly vaas_url: string;
  readonly vaas_patience_ms?: number;
  readonly silence_ms?: number;
  /** File of the token that VaaS knows CCFaaS by. */
  readonly vaasTokenFile?: string;
  /** File of the authority that VaaS is under. */
  readonly vaasCaFile?: string;
  /** File of its key and certificate toward keeps; made when it is not there. */
  readonly identityFile: string;
}

/** The section with its defaults and absolute paths. */
export function ccfaasOf(
  {
    vaas_token_file: token,
    vaas_ca_file: ca,
    identity_file: identity,
    ...rest
  }: Static<typeof CcfaasSection>,
  base: string,
  dataDir: string,
): CcfaasConfig {
  return {
    ...rest,
    ...(token === undefined ? {} : { vaasTokenFile: resolve(base, token) }),
    ...(ca === undefined ? {} : { vaasCaFile: resolve(base, ca) }),
    identityFile:
      identity === undefined ? join(dataDir, "ccfaas", "loader.json") : resolve(base, identity),
  };
}
