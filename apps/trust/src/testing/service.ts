// A service for tests: under a simulated root, at a time that the test moves, over a directory of its own.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CallerLimits, createNodeCrypto, newKeepKey, POLICY_HASH_OID } from "@holdfast/channel";
import { createCertificationRequest, encodeName, fromBase64, toBase64 } from "@holdfast/core";
import {
  type DecisionRecord,
  type Endorsements,
  NO_ENDORSEMENTS,
  parseRecord,
} from "@holdfast/evidence";
import { filled, type NitroChanges, newNitroDocument, newNitroWorld } from "@holdfast/testkit";
import { type App, buildApp } from "../app.ts";
import { openStore } from "../collateral/open-store.ts";
import type { CollateralStore } from "../collateral/store.ts";
import type { Config } from "../config.ts";
import { administratorOf } from "../services/administrator.ts";
import { Challenges } from "../services/challenges.ts";
import { DecisionLog } from "../services/decision-log.ts";
import { HeldKeys } from "../services/held-keys.ts";
import { Keys } from "../services/keys.ts";
import { ReferenceValues } from "../services/reference-values.ts";
import { RefusalBudget } from "../services/refusal-budget.ts";

/** The world that all test services share: making keys takes time. */
export const world = await newNitroWorld();
/** The policy hash in requests of tests. */
export const POLICY_HASH = filled(32, 0xab);

/** What the administrator of test services shows. */
export const ADMIN_TOKEN = "an-administrator-s-token-of-tests";

/** A service under test. */
export interface TestService {
  readonly app: App;
  readonly keys: Keys;
  readonly store: CollateralStore;
  /** Its data directory. */
  readonly directory: string;
  /** What the store of collateral reported. */
  readonly reports: readonly string[];
  /** The service's time; tests move it. */
  now: Date;
  decisions(): Promise<DecisionRecord[]>;
}

/** What to start a service with, beside its configuration. */
export interface ServiceChanges extends Partial<Config> {
  readonly brokenLog?: boolean;
  readonly collateral?: Endorsements;
  /** The time it starts at. */
  readonly at?: Date;
}

/** Starts a service that ends with the test. */
export async function newService(
  t: TestContext,
  { brokenLog, collateral, at, ...change }: ServiceChanges = {},
): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-trust-"));
  let now = world.at;
  const clock = { now: () => now };
  const config: Config = {
    listen: { host: "127.0.0.1", port: 0 },
    dataDirectory: directory,
    simulatedRoots: [world.root],
    certificateHours: 24,
    challengeSeconds: 300,
    adminToken: ADMIN_TOKEN,
    issuer: "holdfast-attestation",
    rates: { address: { perSecond: 1000, burst: 1000 }, failures: { perSecond: 1, burst: 20 } },
    collateralDirectory: undefined,
    collateralSources: {},
    referenceSigners: [],
    ...change,
  };
  if (at !== undefined) now = at;
  const keys = await Keys.open(join(directory, "keys.json"), clock);
  const logFile = join(directory, "decisions.jsonl");
  const log = await DecisionLog.open(logFile);
  // A log that can't be written stands for a full disk.
  if (brokenLog) await log.close();
  const challenges = new Challenges(clock, config.challengeSeconds * 1000);
  const references = await ReferenceValues.open(join(directory, "reference-values.json"));
  const heldKeys = await HeldKeys.open(join(directory, "held-keys"), clock);
  const administrator = administratorOf(config.adminToken);
  const crypto = createNodeCrypto();
  const reports: string[] = [];
  const store = await openStore(config, { clock, crypto }, (what, reason) =>
    reports.push(`${what}: ${reason}`),
  );
  const service: TestService = {
    app: buildApp({
      config,
      keys,
      log,
      challenges,
      references,
      heldKeys,
      store,
      collateral: collateral ?? NO_ENDORSEMENTS,
      refusals: new RefusalBudget(clock),
      administrator,
      limits: new CallerLimits(config.rates, () => now.getTime()),
      clock,
      crypto,
    }),
    keys,
    store,
    directory,
    reports,
    get now() {
      return now;
    },
    set now(time) {
      now = time;
    },
    decisions: async () =>
      (await readFile(logFile, "utf8")).trimEnd().split("\n").filter(Boolean).map(parseRecord),
  };
  t.after(async () => {
    await service.app.close();
    await store.close();
    if (!brokenLog) await log.close();
    await rm(directory, { recursive: true });
  });
  return service;
}

/** A challenge of a service. */
export async function challengeOf({
  app,
}: TestService): Promise<{ id: string; nonce: Uint8Array }> {
  const { challenge_id, nonce } = (
    await app.inject({ method: "POST", url: "/v1/challenges" })
  ).json();
  return { id: challenge_id, nonce: fromBase64(nonce) };
}

/** A keep's request, as keeps make it. */
export async function keepRequest(): Promise<Uint8Array> {
  return (await newKeepKey(POLICY_HASH, "test")).request;
}

/** A request of another key, with or without a policy hash. */
export async function otherRequest(
  key: { readonly curve?: string; readonly rsa?: boolean },
  policyHash: Uint8Array | null = POLICY_HASH,
): Promise<Uint8Array> {
  const { publicKey, privateKey } = key.rsa
    ? generateKeyPairSync("rsa", { modulusLength: 2048 })
    : generateKeyPairSync("ec", { namedCurve: key.curve ?? "P-256" });
  return await createCertificationRequest(
    {
      subject: encodeName({ CN: "keep" }),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: policyHash === null ? [] : [{ oid: POLICY_HASH_OID, value: policyHash }],
      algorithm: "ecdsa-sha256",
    },
    (tbs) => sign("sha256", tbs, privateKey),
  );
}

/** Evidence over a nonce and a request, with changes. */
export async function evidenceOver(
  nonce: Uint8Array,
  csr: Uint8Array,
  changes: NitroChanges = {},
): Promise<Uint8Array> {
  const userData = createHash("sha256").update(csr).digest();
  return await newNitroDocument(world, {
    ...changes,
    payload: { nonce, userData: new Uint8Array(userData), ...changes.payload },
  });
}

/** Hands a proof to the service. */
export async function submit(
  { app }: TestService,
  challengeId: string,
  evidence: Uint8Array,
  csr: Uint8Array,
) {
  return await app.inject({
    method: "POST",
    url: "/v1/certificates",
    payload: { challenge_id: challengeId, evidence: toBase64(evidence), csr: toBase64(csr) },
  });
}

/** Lets the administrator put a set of accepted PCR0 values, valid until the end of the world's year. */
export async function putReferences(
  { app }: TestService,
  name: string,
  accepted: readonly string[],
): Promise<void> {
  const response = await app.inject({
    method: "PUT",
    url: `/v1/reference-values/${name}`,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    payload: {
      type: "nitro",
      not_after: "2026-12-31T00:00:00Z",
      values: [{ name: "keep", claims: { "nonZeroPcrs.0": accepted } }],
    },
  });
  if (response.statusCode >= 300) throw new Error(response.body);
}
