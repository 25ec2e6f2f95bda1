// The configuration file of the control plane: JSON, every member known. Each section has a file of its own.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { messageOf } from "@holdfast/core";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { type AccessConfig, AccessSection, accessOf } from "./config/access.ts";
import { type BlobsConfig, BlobsSection, blobsOf } from "./config/blobs.ts";
import { invalid } from "./config/invalid.ts";
import { type KeepsConfig, KeepsSection, keepsOf } from "./config/keeps.ts";
import { LimitsSection, limitsOf, RemoteSection, type UploadLimits } from "./config/limits.ts";
import {
  type CcfaasConfig,
  CcfaasSection,
  ccfaasOf,
  S3Section,
  VaasSection,
} from "./config/services.ts";

export type { KeepsConfig } from "./config/keeps.ts";
export type { UploadLimits } from "./config/limits.ts";

/** The file's shape. */
export const ConfigFile = Type.Object(
  {
    data_dir: Type.String({ minLength: 1 }),
    attestation_url: Type.Optional(Type.String({ pattern: "^https?://" })),
    attestation_ca_file: Type.Optional(Type.String({ minLength: 1 })),
    database_url: Type.Optional(Type.String({ pattern: "^postgres(ql)?://" })),
    blobs: Type.Optional(BlobsSection),
    vaas: Type.Optional(VaasSection),
    ccfaas: Type.Optional(CcfaasSection),
    s3: Type.Optional(S3Section),
    keeps: Type.Optional(KeepsSection),
    limits: Type.Optional(LimitsSection),
    remote: Type.Optional(RemoteSection),
    access: Type.Optional(AccessSection),
    /** Plain HTTP, nobody is asked who he is, loopback only. */
    local_development: Type.Optional(Type.Boolean()),
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
  { additionalProperties: false },
);
export type ConfigFile = Static<typeof ConfigFile>;

/** A configuration with its defaults filled in and its paths absolute. */
export interface Config {
  readonly dataDir: string;
  readonly attestationUrl?: string;
  /** The only authority that the attestation service is believed under; the system's when absent. */
  readonly attestationCaFile?: string;
  /** PostgreSQL instead of a file in the data directory. */
  readonly databaseUrl?: string;
  /** A bucket for files of functions instead of the data directory. */
  readonly blobs?: BlobsConfig;
  readonly vaas?: { readonly host: string; readonly port: number };
  readonly ccfaas?: CcfaasConfig;
  /** Who may use the services; everybody on this machine when absent, which is for development. */
  readonly access?: AccessConfig;
  readonly s3?: ConfigFile["s3"];
  readonly keeps?: KeepsConfig;
  readonly limits: UploadLimits;
  /** Where CCFaaS may fetch files from; nowhere by default. */
  readonly remote: { readonly allow: readonly string[] };
  readonly logLevel: string;
}

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
  const { vaas, ccfaas, s3, keeps } = value;
  const dataDir = resolve(base, value.data_dir);
  if (vaas === undefined && ccfaas === undefined && s3 === undefined) {
    throw invalid("configuration: at least one of vaas, ccfaas and s3 is expected");
  }
  if (vaas !== undefined && (keeps === undefined || value.attestation_url === undefined)) {
    throw invalid("configuration: vaas needs keeps and attestation_url");
  }
  const hosts = [vaas, ccfaas, s3].flatMap((each) => (each === undefined ? [] : [each.host]));
  const access = accessOf(value, hosts, base);
  return {
    dataDir,
    ...(value.attestation_url === undefined ? {} : { attestationUrl: value.attestation_url }),
    ...(value.attestation_ca_file === undefined
      ? {}
      : { attestationCaFile: resolve(base, value.attestation_ca_file) }),
    ...(value.database_url === undefined ? {} : { databaseUrl: value.database_url }),
    ...(value.blobs === undefined ? {} : { blobs: blobsOf(value.blobs) }),
    ...(vaas === undefined ? {} : { vaas }),
    ...(ccfaas === undefined ? {} : { ccfaas: ccfaasOf(ccfaas, base, dataDir) }),
    ...(access === undefined ? {} : { access }),
    ...(s3 === undefined ? {} : { s3 }),
    ...(keeps === undefined ? {} : { keeps: keepsOf(keeps, base) }),
    limits: limitsOf(value.limits),
    remote: { allow: value.remote?.allow ?? [] },
    logLevel: value.log_level ?? "info",
  };
}
