// Texts of policies for tests.
import { RIGHTS } from "@holdfast/policy";

/** Rights by path. */
export type RightsByPath = Readonly<Record<string, number>>;

/** What a test's policy says; the rest is filled in. */
export interface PolicyParts {
  /** Rights of identities, in the order of their ids. */
  readonly identities: readonly { certificatePem: string; rights: RightsByPath }[];
  /** Rights of programs by path. */
  readonly programs?: Readonly<Record<string, RightsByPath>>;
  readonly fileHashes?: Readonly<Record<string, string>>;
  readonly terms?: unknown;
  readonly serverUrl: string;
  readonly attestationUrl: string;
  readonly attestationCertificatePem: string;
  readonly measurement: string;
  readonly ciphersuite?: string;
  readonly enableClock?: boolean;
  readonly maxMemoryMib?: number;
  readonly expiry?: Date;
}

/** Rights of the policy generator's letters. */
export const READ: number =
  RIGHTS.fd_read | RIGHTS.fd_seek | RIGHTS.path_open | RIGHTS.fd_readdir | RIGHTS.path_filestat_get;
export const WRITE: number =
  RIGHTS.fd_write |
  RIGHTS.fd_seek |
  RIGHTS.path_open |
  RIGHTS.path_create_file |
  RIGHTS.path_create_directory |
  RIGHTS.path_filestat_set_size;
export const EXECUTE: number = RIGHTS.path_open | RIGHTS.fd_seek | RIGHTS.execute;

/** The text of a policy. */
export function policyText(parts: PolicyParts): string {
  const expiry = parts.expiry ?? new Date(Date.UTC(2099, 0, 1));
  return JSON.stringify(
    {
      ciphersuite: parts.ciphersuite ?? "TLS1_3_AES_128_GCM_SHA256",
      debug: false,
      enable_clock: parts.enableClock ?? false,
      enclave_cert_expiry: {
        year: expiry.getUTCFullYear(),
        month: expiry.getUTCMonth() + 1,
        day: expiry.getUTCDate(),
        hour: expiry.getUTCHours(),
        minute: expiry.getUTCMinutes(),
      },
      execution_strategy: "JIT",
      file_hashes: Object.entries(parts.fileHashes ?? {}).map(([file_path, hash]) => ({
        file_path,
        hash,
      })),
      identities: parts.identities.map(({ certificatePem, rights }, id) => ({
        certificate: certificatePem,
        file_rights: fileRights(rights),
        id,
      })),
      max_memory_mib: parts.maxMemoryMib ?? 64,
      programs: Object.entries(parts.programs ?? {}).map(([program_file_name, rights], id) => ({
        file_rights: fileRights(rights),
        id,
        program_file_name,
      })),
      proxy_attestation_server_url: parts.attestationUrl,
      proxy_service_cert: parts.attestationCertificatePem,
      runtime_manager_hash_nitro: parts.measurement,
      runtime_manager_hash_sgx: "",
      runtime_manager_hash_tz: "",
      veracruz_server_url: parts.serverUrl,
      ...(parts.terms === undefined ? {} : { holdfast: parts.terms }),
    },
    undefined,
    4,
  );
}

function fileRights(rights: RightsByPath): { file_name: string; rights: number }[] {
  return Object.entries(rights).map(([file_name, each]) => ({ file_name, rights: each }));
}
