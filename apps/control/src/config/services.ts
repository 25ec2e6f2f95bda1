// Where the three services listen, and what each must know.
import { resolve } from "node:path";
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
  },
  CLOSED,
);

/** What CCFaaS listens on and how it reaches VaaS. */
export interface CcfaasConfig {
  readonly host: string;
  readonly port: number;
  readonly vaas_url: string;
  /** File of the token that VaaS knows CCFaaS by. */
  readonly vaasTokenFile?: string;
}

/** The section with absolute paths. */
export function ccfaasOf(
  { vaas_token_file: file, ...rest }: Static<typeof CcfaasSection>,
  base: string,
): CcfaasConfig {
  return { ...rest, ...(file === undefined ? {} : { vaasTokenFile: resolve(base, file) }) };
}
