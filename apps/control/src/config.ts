// The configuration file of the control plane: JSON, every member known.
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { messageOf } from "@holdfast/core";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { ControlError } from "./errors.ts";

const CLOSED = { additionalProperties: false };
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Listen = { host: Type.String({ minLength: 1 }), port: Port };

/** The file's shape. */
export const ConfigFile = Type.Object(
  {
    data_dir: Type.String({ minLength: 1 }),
    attestation_url: Type.Optional(Type.String({ pattern: "^https?://" })),
    database_url: Type.Optional(Type.String({ pattern: "^postgres(ql)?://" })),
    vaas: Type.Optional(Type.Object(Listen, CLOSED)),
    ccfaas: Type.Optional(
      Type.Object(
        {
          ...Listen,
          vaas_url: Type.String({ pattern: "^https?://" }),
          vaas_token_file: Type.Optional(Type.String({ minLength: 1 })),
        },
        CLOSED,
      ),
    ),
    s3: Type.Optional(
      Type.Object(
        {
          ...Listen,
          endpoint: Type.Optional(Type.String({ pattern: "^https?://" })),
          force_path_style: Type.Optional(Type.Boolean()),
          region: Type.Optional(Type.String()),
        },
        CLOSED,
      ),
    ),
    keeps: Type.Optional(
      Type.Object(
        {
          bundle: Type.String({ minLength: 1 }),
          loader: Type.Optional(Type.String({ minLength: 1 })),
          host: Type.String({ minLength: 1 }),
          listen_host: Type.Optional(Type.String({ minLength: 1 })),
          port_min: Type.Integer({ minimum: 1, maximum: 65_535 }),
          port_max: Type.Integer({ minimum: 1, maximum: 65_535 }),
          platform: Type.Object(
            { kind: Type.Literal("simulated-nitro"), authority_dir: Type.String({ minLength: 1 }) },
            CLOSED,
          ),
          max_memory_mib_total: Type.Optional(Type.Integer({ minimum: 1 })),
          warm_loaders: Type.Optional(Type.Integer({ minimum: 0, maximum: 64 })),
          start_timeout_ms: Type.Optional(Type.Integer({ minimum: 1000 })),
        },
        CLOSED,
      ),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          program_bytes: Type.Optional(Type.Integer({ minimum: 1 })),
          data_file_bytes: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        CLOSED,
      ),
    ),
    remote: Type.Optional(
      Type.Object({ allow: Type.Array(Type.String({ pattern: "^https?://" })) }, CLOSED),
    ),
    access: Type.Optional(
      Type.Object(
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
      ),
    ),
    log_level: Type.Optional(
      Type.Union([
        Type.Literal("fatal"),
        Type.Literal("error"),
        Type.Literal("warn"),
        Type.Literal("info"),
        Type.Literal("debug"),
        Type.Literal("silent"),
      ]),
    ),
  },
  CLOSED,
);
export type ConfigFile = Static<typeof ConfigFile>;

/** Where keeps run and what they may take. */
export interface KeepsConfig {
  readonly bundle: string;
  readonly loader: string;
  /** What clients connect to; stands in policies. */
  readonly host: string;
  readonly listenHost: string;
  readonly portMin: number;
  readonly portMax: number;
  readonly platform: { readonly kind: "simulated-nitro"; readonly authority_dir: string };
  readonly maxMemoryMibTotal?: number;
  readonly startTimeoutMs: number;
  /** How many loaders wait for the next keeps. */
  readonly warmLoaders: number;
}

/** Sizes of uploads to CCFaaS. */
export interface UploadLimits {
  readonly programBytes: number;
  readonly dataFileBytes: number;
}

/** A configuration with its defaults filled in and its paths absolute. */
export interface Config {
  readonly dataDir: string;
  readonly attestationUrl?: string;
  /** PostgreSQL instead of a file in the data directory. */
  readonly databaseUrl?: string;
  readonly vaas?: { readonly host: string; readonly port: number };
  readonly ccfaas?: {
    readonly host: string;
    readonly port: number;
    readonly vaas_url: string;
    /** File of the token that VaaS knows CCFaaS by. */
    readonly vaasTokenFile?: string;
  };
  /** Who may use the services; everybody on this machine when absent. */
  readonly access?: {
    readonly principalsFile: string;
    readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  };
  readonly s3?: ConfigFile["s3"];
  readonly keeps?: KeepsConfig;
  readonly limits: UploadLimits;
  /** Where CCFaaS may fetch files from; nowhere by default. */
  readonly remote: { readonly allow: readonly string[] };
  readonly logLevel: string;
}

/** The original services allow 10 and 300 million bytes; a program of today is larger than theirs. */
const DEFAULT_LIMITS: UploadLimits = { programBytes: 64_000_000, dataFileBytes: 300_000_000 };
const LOADER = resolve(import.meta.dirname, "../../keep/src/loader/main.ts");

/**
 * Reads a configuration file; paths in it are relative to it.
 * @throws ControlError CONFIG_INVALID
 */
export async function readConfig(path: string): Promise<Config> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw invalid(`${path} can't be read: ${messageOf(cause)}`);
  }
  return parseConfig(value, dirname(resolve(path)));
}

/**
 * Checks a configuration.
 * @param base directory that relative paths start from
 * @throws ControlError CONFIG_INVALID
 */
export function parseConfig(value: unknown, base: string): Config {
  if (!Value.Check(ConfigFile, value)) {
    const [first] = Value.Errors(ConfigFile, value);
    throw invalid(`configuration: ${first?.instancePath || "/"} ${first?.message}`);
  }
  const { vaas, ccfaas, s3, keeps, limits } = value;
  if (vaas === undefined && ccfaas === undefined && s3 === undefined) {
    throw invalid("configuration: at least one of vaas, ccfaas and s3 is expected");
  }
  if (vaas !== undefined && (keeps === undefined || value.attestation_url === undefined)) {
    throw invalid("configuration: vaas needs keeps and attestation_url");
  }
  refuseOpenDoors(value.access, [vaas, ccfaas, s3]);
  return {
    dataDir: resolve(base, value.data_dir),
    ...(value.attestation_url === undefined ? {} : { attestationUrl: value.attestation_url }),
    ...(value.database_url === undefined ? {} : { databaseUrl: value.database_url }),
    ...(vaas === undefined ? {} : { vaas }),
    ...(ccfaas === undefined ? {} : { ccfaas: ccfaasOf(ccfaas, base) }),
    ...(value.access === undefined ? {} : { access: accessOf(value.access, base) }),
    ...(s3 === undefined ? {} : { s3 }),
    ...(keeps === undefined ? {} : { keeps: keepsOf(keeps, base) }),
    limits: {
      programBytes: limits?.program_bytes ?? DEFAULT_LIMITS.programBytes,
      dataFileBytes: limits?.data_file_bytes ?? DEFAULT_LIMITS.dataFileBytes,
    },
    remote: { allow: value.remote?.allow ?? [] },
    logLevel: value.log_level ?? "info",
  };
}

/** Whoever can reach a service without access rules owns it, and whoever listens to plain HTTP has its tokens. */
function refuseOpenDoors(
  access: ConfigFile["access"],
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

function ccfaasOf(
  { vaas_token_file: file, ...rest }: NonNullable<ConfigFile["ccfaas"]>,
  base: string,
): NonNullable<Config["ccfaas"]> {
  return { ...rest, ...(file === undefined ? {} : { vaasTokenFile: resolve(base, file) }) };
}

function accessOf(
  { principals_file, tls }: NonNullable<ConfigFile["access"]>,
  base: string,
): NonNullable<Config["access"]> {
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

function keepsOf(keeps: NonNullable<ConfigFile["keeps"]>, base: string): KeepsConfig {
  if (keeps.port_min > keeps.port_max) throw invalid("configuration: port_min is over port_max");
  const listenHost = keeps.listen_host ?? ownAddress(keeps.host);
  return {
    bundle: resolve(base, keeps.bundle),
    loader: keeps.loader === undefined ? LOADER : resolve(base, keeps.loader),
    host: keeps.host,
    listenHost,
    portMin: keeps.port_min,
    portMax: keeps.port_max,
    platform: {
      kind: keeps.platform.kind,
      authority_dir: resolve(base, keeps.platform.authority_dir),
    },
    ...(keeps.max_memory_mib_total === undefined
      ? {}
      : { maxMemoryMibTotal: keeps.max_memory_mib_total }),
    startTimeoutMs: keeps.start_timeout_ms ?? 60_000,
    warmLoaders: keeps.warm_loaders ?? 1,
  };
}

/** A name may stand for any machine: where to listen must then be said. */
function ownAddress(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  if (isIP(host) === 0) throw invalid(`configuration: keeps.host ${host} needs keeps.listen_host`);
  return host;
}

function invalid(message: string): ControlError {
  return new ControlError(500, "CONFIG_INVALID", message);
}
