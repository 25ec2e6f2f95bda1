// The full policy, as a keep runs it. Three dialects are in the wild (i-PoC, Veracruz 2022-10, Veracruz since 2023);
// which one a text is written in is reported, and its exact text is kept, for the hash is over the text.
import { fromPem, fromText, messageOf, parseCertificate, toHex, webCrypto } from "@holdfast/core";
import { MAXIMUM_MEMORY_MIB, readStrategy } from "./function-policy.ts";
import { type HoldfastTerms, readHoldfastTerms } from "./holdfast-terms.ts";
import { directoriesIn, pinsOf, refuseTextAround, tableOf } from "./parts.ts";
import { normalizePath } from "./path.ts";
import type { RightsTable } from "./rights-table.ts";
import { child, Faults, Shape, type Untrusted } from "./shape.ts";
import { parseStrictJson } from "./strict-json.ts";
import {
  readCiphersuite,
  readExpiry,
  readFileHashes,
  readIdentities,
  readPrograms,
} from "./vaas-policy.ts";

/** Which generation of Veracruz a policy is written for. */
export type Dialect = "i-poc" | "2022-10" | "2023";

/** An identity, read. */
export interface PolicyIdentity {
  readonly id: number;
  readonly certificatePem: string;
  readonly certificateDer: Uint8Array;
  readonly rights: RightsTable;
}

/** A program, read. */
export interface PolicyProgram {
  readonly id: number;
  /** Normalised. */
  readonly path: string;
  readonly rights: RightsTable;
  /** Entries of the rights that the policy spells as directories, with a slash at their end; normalised. */
  readonly directories: readonly string[];
}

/** A policy that was read without a fault. */
export interface Policy {
  /** Exactly as received; what the hash is over. */
  readonly text: string;
  readonly dialect: Dialect;
  readonly identities: readonly PolicyIdentity[];
  readonly programs: readonly PolicyProgram[];
  /** SHA-256 in lower-case hexadecimal by normalised path. */
  readonly fileHashes: ReadonlyMap<string, string>;
  readonly serverUrl: { readonly host: string; readonly port: number };
  readonly certificateExpiry: Date;
  readonly ciphersuite: string;
  /** Expected measurements, lower-case hexadecimal; absent where the policy names none. */
  readonly measurements: {
    readonly linux?: string;
    readonly nitro?: string;
    readonly sevsnp?: string;
  };
  readonly attestation: { readonly url: string; readonly certificatePem: string };
  readonly debug: boolean;
  readonly executionStrategy: string;
  readonly enableClock: boolean;
  readonly maxMemoryMib: number;
  readonly terms: HoldfastTerms;
  /** Members that nothing here reads; Veracruz ignores them, and so do we, but say so. */
  readonly unknownMembers: readonly string[];
}

const REQUIRED = [
  "identities",
  "programs",
  "veracruz_server_url",
  "enclave_cert_expiry",
  "ciphersuite",
  "proxy_attestation_server_url",
  "proxy_service_cert",
  "debug",
  "execution_strategy",
  "enable_clock",
  "max_memory_mib",
];
const KNOWN: ReadonlySet<string> = new Set([
  ...REQUIRED,
  "file_hashes",
  "pipelines",
  "native_modules",
  "runtime_manager_hash_linux",
  "runtime_manager_hash_nitro",
  "runtime_manager_hash_sevsnp",
  "runtime_manager_hash_sgx",
  "runtime_manager_hash_tz",
  "holdfast",
]);

/**
 * Reads a full policy.
 * @throws PolicyError POLICY_INVALID with all faults
 */
export function parsePolicy(text: string): Policy {
  const shape = new Shape(new Faults());
  const object = shape.openObject(parseStrictJson(text), "", REQUIRED);
  const identities = readIdentities(shape, object["identities"]);
  const programs = readPrograms(shape, object["programs"]);
  const hashes = readFileHashes(shape, object["file_hashes"]);
  const expiry = readExpiry(shape, object["enclave_cert_expiry"]);
  refuseUnsupported(shape, object);
  const fields = {
    serverUrl: readAddress(shape, object["veracruz_server_url"], "/veracruz_server_url"),
    ciphersuite: readCiphersuite(shape, object["ciphersuite"]).replaceAll("-", "_"),
    measurements: readMeasurements(shape, object),
    attestation: readAttestation(shape, object),
    debug: shape.boolean(object["debug"], "/debug"),
    executionStrategy: readStrategy(shape, object["execution_strategy"]),
    enableClock: shape.boolean(object["enable_clock"], "/enable_clock"),
    maxMemoryMib: shape.integer(object["max_memory_mib"], "/max_memory_mib", 1, MAXIMUM_MEMORY_MIB),
    terms: readHoldfastTerms(shape, object["holdfast"], {
      identityIds: identities.map(({ id }) => id),
      programs: programs.map(({ program_file_name }) => program_file_name),
      pins: pinsOf(hashes.map(({ file_path: path, hash }) => ({ path, hash }))),
    }),
  };
  shape.faults.settle("policy");
  return {
    text,
    dialect: dialectOf(object),
    identities: identities.map(({ id, certificate, der, file_rights }) => ({
      id,
      certificatePem: certificate,
      certificateDer: der,
      rights: tableOf(file_rights),
    })),
    programs: programs.map(({ id, program_file_name, file_rights }) => ({
      id,
      path: normalizePath(program_file_name),
      rights: tableOf(file_rights),
      directories: directoriesIn(file_rights),
    })),
    fileHashes: new Map(hashes.map(({ file_path, hash }) => [normalizePath(file_path), hash])),
    certificateExpiry: expiry.date,
    ...fields,
    unknownMembers: Object.keys(object).filter((name) => !KNOWN.has(name)),
  };
}

/** SHA-256 of a policy's exact text, lower-case hexadecimal: spaces and order of members count. */
export async function policyHash(text: string): Promise<string> {
  return toHex(await webCrypto.digest("SHA-256", fromText(text)));
}

function dialectOf(object: Untrusted): Dialect {
  if (Object.hasOwn(object, "native_modules")) return "2023";
  const older = ["runtime_manager_hash_sgx", "runtime_manager_hash_tz"];
  return older.some((name) => Object.hasOwn(object, name)) ? "i-poc" : "2022-10";
}

/** Parts of later dialects that a keep can't run: an unkept promise would be worse than a refusal. */
function refuseUnsupported(shape: Shape, object: Untrusted): void {
  for (const name of ["pipelines", "native_modules"]) {
    const count = shape.array(object[name], `/${name}`, 256, (entry) => entry).length;
    if (count > 0)
      shape.faults.add("UNSUPPORTED", `/${name}`, `${name} are not supported: ${count} given`);
  }
}

function readAddress(
  shape: Shape,
  value: unknown,
  pointer: string,
): { host: string; port: number } {
  const text = shape.text(value, pointer, { maximum: 512 });
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  if (text !== "" && (match === null || port < 1 || port > 65_535)) {
    shape.faults.add(
      "ADDRESS_FORMAT",
      pointer,
      `host:port is expected, got ${JSON.stringify(text)}`,
    );
  }
  return { host: (match?.[1] ?? "").replace(/^\[|\]$/g, ""), port };
}

function readMeasurements(shape: Shape, object: Untrusted): Policy["measurements"] {
  const found: Record<string, string> = {};
  for (const platform of ["linux", "nitro", "sevsnp"]) {
    const member = `runtime_manager_hash_${platform}`;
    const value = object[member];
    // Absent, null and empty all mean that the policy names none.
    if (value === undefined || value === null || value === "") continue;
    const text = shape.text(value, `/${member}`, { maximum: 256 });
    if (!/^[0-9a-fA-F]{64}$/.test(text)) {
      shape.faults.add("HASH_FORMAT", `/${member}`, "64 hexadecimal digits are expected");
    }
    found[platform] = text.toLowerCase();
  }
  return found;
}

function readAttestation(shape: Shape, object: Untrusted): Policy["attestation"] {
  const pointer = "/proxy_service_cert";
  const certificatePem = shape.text(object["proxy_service_cert"], pointer, { maximum: 64 * 1024 });
  if (certificatePem !== "") {
    try {
      for (const der of fromPem("CERTIFICATE", certificatePem)) parseCertificate(der);
      refuseTextAround(shape, certificatePem, pointer);
    } catch (thrown) {
      shape.faults.add("CERTIFICATE_UNREADABLE", pointer, messageOf(thrown));
    }
  }
  const url = shape.text(
    object["proxy_attestation_server_url"],
    child("", "proxy_attestation_server_url"),
    { maximum: 512 },
  );
  return { url, certificatePem };
}
