// A data owner's key, a policy under which it may go out, and a keep that asks for it: for tests to spoil in one place.
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type NewReleaseRequest,
  newIdentity,
  newSelfSigned,
  replayDecision,
} from "@holdfast/channel";
import type { KeyGrant } from "@holdfast/contract";
import { fixedClock, fromPem, toBase64, toHex, toPem, webCrypto } from "@holdfast/core";
import { BASIS_FACT, type DecisionRecord, readBasis } from "@holdfast/evidence";
import type { NitroChanges } from "@holdfast/testkit";
import { ADMIN_TOKEN, challengeOf, evidenceOver, type TestService, world } from "./service.ts";

/** Rights as the policy generator's letters give them. */
const READ = 24_582;
const LIST = 24_576;
const WRITE = 534_084;
const EXECUTE = 536_879_104;

export const RIGHT = { read: READ, list: LIST, write: WRITE, execute: EXECUTE } as const;
export const KEY_NAME = "model.weights";
export const SEALED_PATH = "/program_data/model.weights";
export const PROGRAM_PATH = "/program/detector.wasm";
export const KEY: Uint8Array = Uint8Array.from(randomBytes(32));

/** The user, who runs and reads; and a loader, who only writes. */
export const people = {
  user: await newIdentity({ commonName: "user", clock: fixedClock(world.at) }),
  loader: await newIdentity({ commonName: "loader", clock: fixedClock(world.at) }),
};
const authority = await newSelfSigned({
  kind: "authority",
  name: { CN: "authority" },
  days: 30,
  clock: fixedClock(world.at),
});
/** SHA-256 of the program of the policy. */
export const PROGRAM: string = "aa".repeat(32);
export const MEASUREMENT: string = toHex(world.image.subarray(0, 32));

/** SHA-256 of an identity's certificate, DER. */
export function digestOf({ certificatePem }: { readonly certificatePem: string }): string {
  const [der = new Uint8Array()] = fromPem("CERTIFICATE", certificatePem);
  return sha256(der);
}

/** SHA-256, lower-case hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Rights of one of the people, each path once: the later of two counts. */
export type Rights = Readonly<Record<string, number>>;

/** What a policy says that a test changes. */
export interface PolicyChanges {
  readonly userRights?: Rights;
  readonly loaderRights?: Rights;
  readonly members?: object;
  readonly inputs?: readonly object[];
  readonly programs?: Readonly<Record<string, string | undefined>>;
}

const entries = (rights: Rights): object[] =>
  Object.entries(rights).map(([file_name, bits]) => ({ file_name, rights: bits }));

/** The input that the key opens. */
export const INPUT = {
  path: SEALED_PATH,
  source: "https://store.example/model.sealed",
  sha256: "cc".repeat(32),
  size: 1000,
  key: KEY_NAME,
};

/** The text of a policy. */
export function policyText(changes: PolicyChanges = {}): string {
  const programs = changes.programs ?? { [PROGRAM_PATH]: PROGRAM };
  const pins = Object.entries({ ...programs, [SEALED_PATH]: "bb".repeat(32) });
  return JSON.stringify({
    ciphersuite: "TLS1_3_AES_128_GCM_SHA256",
    debug: false,
    enable_clock: false,
    enclave_cert_expiry: { year: 2099, month: 1, day: 1, hour: 0, minute: 0 },
    execution_strategy: "JIT",
    file_hashes: pins.flatMap(([file_path, hash]) =>
      hash === undefined ? [] : [{ file_path, hash }],
    ),
    identities: [
      {
        id: 0,
        certificate: people.user.certificatePem,
        file_rights: entries({
          [PROGRAM_PATH]: EXECUTE,
          "/output/": READ,
          ...changes.userRights,
        }),
      },
      {
        id: 1,
        certificate: people.loader.certificatePem,
        file_rights: entries({
          "/program/": WRITE,
          "/program_data/": WRITE,
          [SEALED_PATH]: 0,
          ...changes.loaderRights,
        }),
      },
    ],
    max_memory_mib: 64,
    programs: Object.keys(programs).map((program_file_name, id) => ({
      id,
      program_file_name,
      file_rights: entries({ "/program_data/": READ, "/output/": READ | WRITE }),
    })),
    proxy_attestation_server_url: "127.0.0.1:3010",
    proxy_service_cert: toPem("CERTIFICATE", authority.der).trimEnd(),
    runtime_manager_hash_nitro: MEASUREMENT,
    veracruz_server_url: "127.0.0.1:3014",
    holdfast: { inputs: changes.inputs ?? [INPUT] },
    ...changes.members,
  });
}

/** Terms under which the policy above is good for the key. */
export const GRANT: KeyGrant = {
  measurements: [MEASUREMENT],
  programs: [PROGRAM],
  policies: [sha256(policyText())],
  readers: [digestOf(people.user)],
  simulated: true,
  not_after: "2026-06-30T00:00:00Z",
};

/** Does something as the administrator. */
export async function administer(
  { app }: TestService,
  method: "GET" | "PUT" | "DELETE",
  url: string,
  payload?: object,
) {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  return await app.inject({ method, url, headers, ...(payload && { payload }) });
}

/** Leaves the key with a service. */
export async function putKey(service: TestService, grant: KeyGrant = GRANT): Promise<void> {
  const payload = { key: toBase64(KEY), grant };
  const answer = await administer(service, "PUT", `/v1/keys/${KEY_NAME}`, payload);
  if (answer.statusCode !== 201) throw new Error(answer.body);
}

/** What the service decided last. */
export async function lastDecision(service: TestService): Promise<DecisionRecord> {
  const decision = (await service.decisions()).at(-1);
  if (decision === undefined) throw new Error("nothing was decided");
  return decision;
}

/** Judges a decision again, from what the service keeps alone. */
export async function replayOf({ directory }: TestService, record: DecisionRecord, at: Date) {
  const folder = join(directory, "decisions.basis");
  const read = async (name: string) => new Uint8Array(await readFile(join(folder, name)));
  const basis = await readBasis(String(record.facts[BASIS_FACT]), read, webCrypto);
  return await replayDecision({ record, ...basis, crypto: webCrypto, at });
}

/** What a keep sends; by default what it made over a fresh challenge. */
export interface Bid {
  readonly name?: string;
  readonly challengeId?: string;
  /** What the evidence is bound to, when that is not what is sent. */
  readonly attested?: Uint8Array;
  readonly evidence?: NitroChanges;
  /** Comes between challenge and request. */
  readonly meanwhile?: () => unknown;
}

/** Asks a service for a key with a request, or with bytes that are none. */
export async function askForKey(
  service: TestService,
  request: NewReleaseRequest["bytes"],
  bid: Bid = {},
) {
  const { id, nonce } = await challengeOf(service);
  const evidence = await evidenceOver(nonce, bid.attested ?? request, bid.evidence);
  await bid.meanwhile?.();
  return await sendBid(service, { id: bid.challengeId ?? id, evidence, request }, bid.name);
}

/** Sends a bid as it is. */
export async function sendBid(
  { app }: TestService,
  bid: { readonly id: string; readonly evidence: Uint8Array; readonly request: Uint8Array },
  name: string = KEY_NAME,
) {
  const { id, evidence, request } = bid;
  return await app.inject({
    method: "POST",
    url: `/v1/keys/${name}/release`,
    payload: { challenge_id: id, evidence: toBase64(evidence), request: toBase64(request) },
  });
}
