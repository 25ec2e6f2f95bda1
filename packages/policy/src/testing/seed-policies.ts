// The seed's policies for the video object detector, with real certificates in the places of its placeholders.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  basicConstraints,
  createCertificate,
  encodeName,
  keyUsage,
  type NewCertificate,
  toPem,
} from "@holdfast/core";

export const HASHES = {
  detector: "7612e3490f14a9ee523f357e86f97098a94678f4e06c8202cf307d163db9f7aa",
  names: "634a1132eb33f8091d60f2c346ababe8b905ae08387037aed883953b7329af84",
  cfg: "2ca0ab366618b5c005931e057e9cef2e40a1988e2481b3cbd960047c8ec11995",
  weights: "523e4e69e1d015393a1b0a441cef1d9c7659e3eb2d7e15f793f060a21b32f297",
  nitro: "f2ae0de7bec92bcdbd4a96e2ae08d85a575f1aa64acb797bc4afa6b1d3cc8798",
};
export const READ = 24_582;
export const WRITE = 534_084;
export const READ_WRITE = 550_470;
export const EXECUTE = 536_879_104;
export const LOAD = 537_404_996;

/** A self-signed certificate, PEM without a line feed at the end. */
export async function certificate(
  commonName: string,
  change: Partial<NewCertificate> = {},
  keys: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
  }),
): Promise<string> {
  const name = encodeName({ CN: commonName });
  const der = await createCertificate(
    {
      serial: Uint8Array.of(0x40, ...randomBytes(15)),
      issuer: name,
      subject: name,
      notBefore: new Date("2023-01-01T00:00:00Z"),
      notAfter: new Date("2024-01-01T00:00:00Z"),
      spki: keys.publicKey.export({ type: "spki", format: "der" }),
      extensions: [basicConstraints(false), keyUsage("digitalSignature")],
      algorithm: "ecdsa-sha256",
      ...change,
    },
    (tbs) => sign("sha256", tbs, keys.privateKey),
  );
  return toPem("CERTIFICATE", der).trimEnd();
}

/** The certificates of the seed's story. */
export const PEM = {
  bridge: await certificate("bridge"),
  user: await certificate("user"),
  loader: await certificate("loader"),
  authority: await certificate("authority", {
    extensions: [basicConstraints(true), keyUsage("keyCertSign")],
  }),
};

const entry = (file_name: string, rights: number) => ({ file_name, rights });

const BRIDGE_RIGHTS = [entry("/s3_app_input/", WRITE)];
const USER_RIGHTS = [
  entry("/user_input/", WRITE),
  entry("/output/", READ),
  entry("stdout", READ),
  entry("stderr", READ),
  entry("/program/", EXECUTE),
];
const LOADER_RIGHTS = [entry("/program/", WRITE), entry("/program_data/", WRITE)];
const PROGRAM_RIGHTS = [
  entry("/program_data/", READ),
  entry("/s3_app_input/", READ),
  entry("/user_input/", READ),
  entry("/output/", READ_WRITE),
  entry("/program_internal/", READ_WRITE),
  entry("stdout", WRITE),
  entry("stderr", WRITE),
];

/** What a user sends to CCFaaS. */
export function userPolicy() {
  return {
    function: "vod",
    instanceid: "uniqueID",
    identities: [
      { certificate: PEM.bridge, file_rights: BRIDGE_RIGHTS },
      { certificate: PEM.user, file_rights: USER_RIGHTS },
    ],
  };
}

/** What an administrator registers at CCFaaS. */
export function functionPolicy() {
  return {
    function: "vod",
    debug: true,
    enable_clock: true,
    execution_strategy: "JIT",
    max_memory_mib: 2000,
    data_files: [
      { data_file: "/program_data/coco.names", pi_hash: HASHES.names },
      { data_file: "/program_data/yolov3.cfg", pi_hash: HASHES.cfg },
      { data_file: "/program_data/yolov3.weights", pi_hash: HASHES.weights },
    ],
    programs: [
      {
        file_rights: PROGRAM_RIGHTS,
        id: 0,
        pi_hash: HASHES.detector,
        program_file_name: "/program/detector.wasm",
      },
    ],
    file_rights: LOADER_RIGHTS,
  };
}

/** What CCFaaS sends to VaaS. */
export function vaasPolicy() {
  return {
    instance_id: "instance1",
    ciphersuite: "TLS1_3_CHACHA20_POLY1305_SHA256",
    debug: true,
    enable_clock: true,
    execution_strategy: "JIT",
    max_memory_mib: 2000,
    programs: [{ file_rights: PROGRAM_RIGHTS, id: 0, program_file_name: "/program/detector.wasm" }],
    identities: [
      { certificate: PEM.bridge, file_rights: BRIDGE_RIGHTS, id: 0 },
      { certificate: PEM.user, file_rights: USER_RIGHTS, id: 1 },
      { certificate: PEM.loader, file_rights: LOADER_RIGHTS, id: 2 },
    ],
    file_hashes: [
      { file_path: "/program/detector.wasm", hash: HASHES.detector },
      { file_path: "/program_data/coco.names", hash: HASHES.names },
      { file_path: "/program_data/yolov3.cfg", hash: HASHES.cfg },
      { file_path: "/program_data/yolov3.weights", hash: HASHES.weights },
    ],
    enclave_cert_expiry: { day: 11, hour: 16, minute: 46, month: 4, year: 2023 },
  };
}

/** What the keep runs. */
export function fullPolicy() {
  const { instance_id: _, ...rest } = vaasPolicy();
  return {
    ...rest,
    proxy_attestation_server_url: "veracruz-nitro-proxy:3010",
    proxy_service_cert: PEM.authority,
    runtime_manager_hash_nitro: HASHES.nitro,
    runtime_manager_hash_sgx: "",
    runtime_manager_hash_tz: "",
    veracruz_server_url: "192.0.2.7:3014",
  };
}

/** A full policy's text with some members changed; `undefined` takes a member away. */
export function policyText(change: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...fullPolicy(), ...change }, undefined, 4);
}
