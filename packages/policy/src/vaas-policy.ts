// The VaaS policy: program and user parts together, what VaaS asks to start an instance. Schema is the seed's.
import { MAXIMUM_MEMORY_MIB, readStrategy } from "./function-policy.ts";
import { keepTerms, readHoldfastTerms } from "./holdfast-terms.ts";
import {
  type FileRight,
  idPlaces,
  MAXIMUM_FILES,
  MAXIMUM_IDENTITIES,
  MAXIMUM_PROGRAMS,
  pathPlaces,
  pinsOf,
  readCertificate,
  readFilePath,
  readFileRights,
  readHash,
  refuseDuplicates,
  refuseSameCertificates,
} from "./parts.ts";
import { child, Faults, Shape, type Untrusted } from "./shape.ts";

/** An identity of a VaaS or full policy. */
export interface VaasIdentity {
  readonly certificate: string;
  readonly file_rights: readonly FileRight[];
  readonly id: number;
}

/** A program of a VaaS or full policy. */
export interface VaasProgram {
  readonly file_rights: readonly FileRight[];
  readonly id: number;
  readonly program_file_name: string;
}

/** A pinned file. */
export interface FileHash {
  readonly file_path: string;
  readonly hash: string;
}

/** A point in time, UTC, to the minute. */
export interface ExpiryFields {
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly month: number;
  readonly year: number;
}

/** A VaaS policy. */
export interface VaasPolicy {
  readonly instance_id?: string;
  readonly ciphersuite: string;
  readonly debug: boolean;
  readonly enable_clock: boolean;
  readonly execution_strategy: string;
  readonly max_memory_mib: number;
  readonly programs: readonly VaasProgram[];
  readonly identities: readonly VaasIdentity[];
  readonly file_hashes?: readonly FileHash[];
  readonly enclave_cert_expiry?: ExpiryFields;
  /** Terms beyond Veracruz, as written. */
  readonly holdfast?: Untrusted;
}

/** TLS 1.3 suites by their names in policies. */
export const CIPHERSUITES: readonly string[] = [
  "TLS1_3_CHACHA20_POLY1305_SHA256",
  "TLS1_3_AES_128_GCM_SHA256",
  "TLS1_3_AES_256_GCM_SHA384",
  "TLS1_3_AES_128_CCM_SHA256",
  "TLS1_3_AES_128_CCM_8_SHA256",
];

/**
 * Reads a VaaS policy.
 * @throws PolicyError POLICY_INVALID with all faults
 */
export function parseVaasPolicy(value: unknown): VaasPolicy {
  const shape = new Shape(new Faults());
  const object = shape.object(value, "", {
    required: [
      "ciphersuite",
      "debug",
      "enable_clock",
      "execution_strategy",
      "max_memory_mib",
      "identities",
      "programs",
    ],
    optional: ["instance_id", "file_hashes", "enclave_cert_expiry", "holdfast"],
  });
  const identities = readIdentities(shape, object["identities"]);
  const policy: VaasPolicy = {
    ...(object["instance_id"] === undefined
      ? {}
      : { instance_id: shape.name(object["instance_id"], "/instance_id") }),
    ciphersuite: readCiphersuite(shape, object["ciphersuite"]),
    debug: shape.boolean(object["debug"], "/debug"),
    enable_clock: shape.boolean(object["enable_clock"], "/enable_clock"),
    execution_strategy: readStrategy(shape, object["execution_strategy"]),
    max_memory_mib: shape.integer(
      object["max_memory_mib"],
      "/max_memory_mib",
      1,
      MAXIMUM_MEMORY_MIB,
    ),
    programs: readPrograms(shape, object["programs"]),
    identities: identities.map(({ certificate, file_rights, id }) => ({
      certificate,
      file_rights,
      id,
    })),
    ...(object["file_hashes"] === undefined
      ? {}
      : { file_hashes: readFileHashes(shape, object["file_hashes"]) }),
    ...(object["enclave_cert_expiry"] === undefined
      ? {}
      : { enclave_cert_expiry: readExpiry(shape, object["enclave_cert_expiry"]).fields }),
    ...keepTerms(object),
  };
  readHoldfastTerms(shape, object["holdfast"], {
    identityIds: policy.identities.map(({ id }) => id),
    programs: policy.programs.map(({ program_file_name }) => program_file_name),
    pins: pinsOf((policy.file_hashes ?? []).map(({ file_path: path, hash }) => ({ path, hash }))),
  });
  shape.faults.settle("VaaS policy");
  return policy;
}

/** A TLS 1.3 suite by its name. */
export function readCiphersuite(shape: Shape, value: unknown): string {
  const suite = shape.text(value, "/ciphersuite", { maximum: 128 });
  const known = CIPHERSUITES.includes(suite.replaceAll("-", "_"));
  if (suite !== "" && !known) {
    shape.faults.add(
      "CIPHERSUITE_UNKNOWN",
      "/ciphersuite",
      `${suite} is no TLS 1.3 suite; known: ${CIPHERSUITES.join(", ")}`,
    );
  }
  return suite;
}

/** Identities: ids and certificates differ. */
export function readIdentities(
  shape: Shape,
  value: unknown,
): (VaasIdentity & { der: Uint8Array })[] {
  const pointer = "/identities";
  const identities = shape.array(value, pointer, MAXIMUM_IDENTITIES, (entry, at) => {
    const identity = shape.object(entry, at, { required: ["certificate", "file_rights", "id"] });
    const { text, der } = readCertificate(shape, identity["certificate"], child(at, "certificate"));
    return {
      certificate: text,
      der,
      file_rights: readFileRights(shape, identity["file_rights"], child(at, "file_rights")),
      id: shape.integer(identity["id"], child(at, "id"), 0, 2 ** 32 - 1),
    };
  });
  refuseSameCertificates(shape, identities, pointer);
  refuseDuplicates(shape, idPlaces(value, pointer), "ID_DUPLICATE");
  return identities;
}

/** Programs: ids and names differ. */
export function readPrograms(shape: Shape, value: unknown): VaasProgram[] {
  const pointer = "/programs";
  const programs = shape.array(value, pointer, MAXIMUM_PROGRAMS, (entry, at) => {
    const program = shape.object(entry, at, {
      required: ["file_rights", "id", "program_file_name"],
    });
    return {
      file_rights: readFileRights(shape, program["file_rights"], child(at, "file_rights")),
      id: shape.integer(program["id"], child(at, "id"), 0, 2 ** 32 - 1),
      program_file_name: readFilePath(
        shape,
        program["program_file_name"],
        child(at, "program_file_name"),
      ),
    };
  });
  refuseDuplicates(shape, idPlaces(value, pointer), "ID_DUPLICATE");
  refuseDuplicates(shape, pathPlaces(value, pointer, "program_file_name"), "PROGRAM_DUPLICATE");
  return programs;
}

/** Pinned files, each once. */
export function readFileHashes(shape: Shape, value: unknown): FileHash[] {
  const hashes = shape.array(value, "/file_hashes", MAXIMUM_FILES, (entry, at) => {
    const object = shape.object(entry, at, { required: ["file_path", "hash"] });
    return {
      file_path: readFilePath(shape, object["file_path"], child(at, "file_path")),
      hash: readHash(shape, object["hash"], child(at, "hash")),
    };
  });
  refuseDuplicates(shape, pathPlaces(value, "/file_hashes", "file_path"), "FILE_DUPLICATE");
  return hashes;
}

/** An expiry that is a real date; what is absent is noted elsewhere. */
export function readExpiry(shape: Shape, value: unknown): { fields: ExpiryFields; date: Date } {
  const at = "/enclave_cert_expiry";
  const never = { day: 1, hour: 0, minute: 0, month: 1, year: 2000 };
  if (value === undefined) return { fields: never, date: new Date(Date.UTC(2000, 0, 1)) };
  const object = shape.object(value, at, { required: ["day", "hour", "minute", "month", "year"] });
  const fields = {
    day: shape.integer(object["day"], `${at}/day`, 1, 31),
    hour: shape.integer(object["hour"], `${at}/hour`, 0, 23),
    minute: shape.integer(object["minute"], `${at}/minute`, 0, 59),
    month: shape.integer(object["month"], `${at}/month`, 1, 12),
    year: shape.integer(object["year"], `${at}/year`, 2000, 9999),
  };
  const date = new Date(
    Date.UTC(fields.year, fields.month - 1, fields.day, fields.hour, fields.minute),
  );
  const rolledOver = date.getUTCDate() !== fields.day;
  if (rolledOver && fields.day <= 31 && fields.month >= 1 && fields.month <= 12) {
    shape.faults.add("EXPIRY_DATE", at, "there is no such day");
  }
  return { fields, date };
}
