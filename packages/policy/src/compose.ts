// How the parts join: CCFaaS joins function and user policy, VaaS adds the infrastructure. Order of members and the
// four-space text are the seed's: clients compare and hash what they get.
import type { FunctionPolicy } from "./function-policy.ts";
import { policyHash } from "./policy.ts";
import type { UserPolicy } from "./user-policy.ts";
import type { ExpiryFields, VaasIdentity, VaasPolicy } from "./vaas-policy.ts";

/** What VaaS knows and adds. */
export interface Infrastructure {
  /** host:port that clients connect to. */
  readonly serverUrl: string;
  readonly attestationUrl: string;
  readonly attestationCertificatePem: string;
  /** Expected measurement, 64 hexadecimal digits. */
  readonly nitroMeasurement: string;
  readonly now: Date;
}

/** The suite CCFaaS asks for. */
export const DEFAULT_CIPHERSUITE = "TLS1_3_CHACHA20_POLY1305_SHA256";
const DEFAULT_DAYS = 180;
const INSTANCE_HASH_LENGTH = 59;

/**
 * Joins a function and a user policy into what VaaS is asked for.
 * @param parts.loaderCertificatePem who loads programs and data; absent when nothing is to be loaded
 */
export function composeVaasPolicy(parts: {
  functionPolicy: FunctionPolicy;
  userPolicy: UserPolicy;
  instanceId: string;
  loaderCertificatePem?: string;
}): VaasPolicy {
  const { functionPolicy, userPolicy, loaderCertificatePem } = parts;
  const loader =
    loaderCertificatePem === undefined
      ? []
      : [{ certificate: loaderCertificatePem, file_rights: functionPolicy.file_rights }];
  const identities: VaasIdentity[] = [...userPolicy.identities, ...loader].map((identity, id) => ({
    certificate: identity.certificate,
    file_rights: identity.file_rights,
    id,
  }));
  return {
    instance_id: parts.instanceId,
    ciphersuite: DEFAULT_CIPHERSUITE,
    debug: functionPolicy.debug,
    enable_clock: functionPolicy.enable_clock,
    execution_strategy: functionPolicy.execution_strategy,
    max_memory_mib: functionPolicy.max_memory_mib,
    programs: functionPolicy.programs.map(({ file_rights, id, program_file_name }) => ({
      file_rights,
      id,
      program_file_name,
    })),
    identities,
    file_hashes: [
      ...functionPolicy.programs.map(({ program_file_name, pi_hash }) => ({
        file_path: program_file_name,
        hash: pi_hash,
      })),
      ...functionPolicy.data_files.map(({ data_file, pi_hash }) => ({
        file_path: data_file,
        hash: pi_hash,
      })),
    ],
    ...(functionPolicy.holdfast === undefined ? {} : { holdfast: functionPolicy.holdfast }),
  };
}

/** The full policy's text: VaaS policy without its instance id, an expiry, and the infrastructure. */
export function composeFullPolicy(vaas: VaasPolicy, infrastructure: Infrastructure): string {
  const { instance_id: _, holdfast, ...rest } = vaas;
  const full = {
    ...rest,
    file_hashes: rest.file_hashes ?? [],
    enclave_cert_expiry: rest.enclave_cert_expiry ?? expiryAfter(infrastructure.now, DEFAULT_DAYS),
    proxy_attestation_server_url: infrastructure.attestationUrl,
    proxy_service_cert: infrastructure.attestationCertificatePem,
    runtime_manager_hash_nitro: infrastructure.nitroMeasurement,
    runtime_manager_hash_sgx: "",
    runtime_manager_hash_tz: "",
    veracruz_server_url: infrastructure.serverUrl,
    ...(holdfast === undefined ? {} : { holdfast }),
  };
  return JSON.stringify(full, undefined, 4);
}

/** The hash by which VaaS names an instance: the first 59 digits of the policy hash, as in the seed. */
export async function instanceHash(text: string): Promise<string> {
  return (await policyHash(text)).slice(0, INSTANCE_HASH_LENGTH);
}

function expiryAfter(now: Date, days: number): ExpiryFields {
  const date = new Date(now.getTime() + days * 24 * 60 * 60 * 1000);
  return {
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    month: date.getUTCMonth() + 1,
    year: date.getUTCFullYear(),
  };
}
