// A keep within the test's own process, with everything real but the attestation service: evidence of the simulated
// device, TLS on loopback, clients that judge the keep.
import { createServer } from "node:net";
import { createSimulatedNsm, newSimulatedAuthority, simulatedPcrs } from "@holdfast/attester";
import {
  type ClientIdentity,
  connectKeep,
  type KeepConnection,
  newIdentity,
  type SkippableCheck,
} from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { type Policy, parsePolicy, policyHash } from "@holdfast/policy";
import { type CreateWorker, createSourceAdmission, createSourceWorker } from "@holdfast/wasi";
import { buildKeep, type DoorLimits, type Keep } from "../app.ts";
import { attestKeep } from "../boot/attest-keep.ts";
import { createLog } from "../log.ts";
import { lazyRunner } from "../state/lazy-runner.ts";
import { newStandIn } from "./stand-in-service.ts";
import { TestClock } from "./test-clock.ts";
import { type PolicyParts, policyText, type RightsByPath } from "./test-policy.ts";

/** What a test's keep is like. */
export type TestKeepOptions = Partial<Omit<PolicyParts, "identities">> & {
  /** Rights of identities, in the order of their ids. */
  readonly rights: readonly RightsByPath[];
  /** Instead of fresh certificates, in order. */
  readonly identities?: readonly ClientIdentity[];
  readonly limits?: DoorLimits;
  readonly clock?: TestClock;
  readonly createWorker?: CreateWorker;
  readonly createAdmission?: CreateWorker;
};

/** A keep under test. */
export interface TestKeep {
  readonly keep: Keep;
  readonly policy: Policy;
  readonly policyHash: string;
  readonly identities: readonly ClientIdentity[];
  readonly clock: TestClock;
  /** Log lines so far. */
  readonly log: readonly string[];
  readonly port: number;
  /** A client of an identity, by its place in the policy. */
  client(identity?: number, skip?: ReadonlySet<SkippableCheck>): Promise<KeepClient>;
  connection(identity?: number, skip?: ReadonlySet<SkippableCheck>): Promise<KeepConnection>;
  /** Attests anew, with another key and certificate. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

const MEASUREMENT = "5a".repeat(32);

/** Starts a keep. */
export async function startTestKeep(options: TestKeepOptions): Promise<TestKeep> {
  const clock = options.clock ?? new TestClock();
  const port = await freePort();
  const service = await newStandIn({ clock, measurement: MEASUREMENT });
  const identities =
    options.identities ??
    (await Promise.all(
      options.rights.map((_, id) => newIdentity({ commonName: `identity ${id}`, clock })),
    ));
  const text = policyText({
    serverUrl: `127.0.0.1:${port}`,
    attestationUrl: "127.0.0.1:3010",
    attestationCertificatePem: service.certificatePem,
    measurement: MEASUREMENT,
    ...options,
    identities: options.rights.map((rights, id) => ({
      certificatePem: identities[id]?.certificatePem ?? "",
      rights,
    })),
  });
  const policy = parsePolicy(text);
  const hash = await policyHash(text);
  const device = createSimulatedNsm({
    authority: await newSimulatedAuthority(clock),
    pcrs: simulatedPcrs(new Uint8Array(48).fill(0x5a)),
    moduleId: "i-test-enc1",
    clock,
  });
  const log: string[] = [];
  const attest = () => attestKeep({ policy, policyHash: hash, device, service, clock });
  const keep = buildKeep(
    {
      policy,
      policyHash: hash,
      attested: await attest(),
      device,
      runner: lazyRunner({
        forRuns: options.createWorker ?? createSourceWorker,
        forAdmission: options.createAdmission ?? createSourceAdmission,
      }),
      clock,
      log: createLog(clock, (line) => log.push(line)),
    },
    options.limits,
  );
  await keep.open({ host: "127.0.0.1", port });
  const open: KeepConnection[] = [];
  const connection: TestKeep["connection"] = async (id = 0, skip = new Set()) => {
    const identity = identities[id];
    if (identity === undefined) throw new Error(`no identity ${id}`);
    const made = await connectKeep({ policy, identity, clock, skip });
    open.push(made);
    return made;
  };
  return {
    keep,
    policy,
    policyHash: hash,
    identities,
    clock,
    log,
    port,
    connection,
    renew: async () => keep.renew(await attest()),
    client: async (id, skip) => new KeepClient(await connection(id, skip)),
    async close() {
      for (const each of open) each.close();
      await keep.close();
    },
  };
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}
