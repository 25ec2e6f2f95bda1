// What a keep goes through before it waits for its policy: it is certified for a policy of its own, serves it to a client
// of its own over a connection in memory, and forgets all of it. A keep that can't do this never waits for anybody; and
// what was done once is done faster the second time, when somebody waits for it.
import { isIPv6 } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { connect } from "node:tls";
import { type ClientIdentity, judgeKeep, newIdentity, newKeepKey } from "@holdfast/channel";
import { fromHex, messageOf, readBody, toText } from "@holdfast/core";
import {
  composeFullPolicy,
  DEFAULT_CIPHERSUITE,
  type Policy,
  parsePolicy,
  policyHash,
} from "@holdfast/policy";
import { buildKeep } from "../app.ts";
import { BootError } from "../errors.ts";
import { silentLog } from "../log.ts";
import type { RunStarter } from "../state/lazy-runner.ts";
import { type AttestedKeep, certified, type Platform, UNIT } from "./attest-keep.ts";

const PATIENCE_MS = 10_000;
const MAXIMUM_ANSWER = 64 * 1024;
const CERTIFICATE_DAYS = 1;
const NOWHERE = "127.0.0.1:1";

/**
 * Rehearses a keep's life.
 * @throws BootError BOOT_SERVICE, BOOT_REFUSED, BOOT_EVIDENCE, BOOT_CERTIFICATE; BOOT_REHEARSAL when it can't serve
 */
export async function rehearse(platform: Platform): Promise<void> {
  const { clock, device } = platform;
  const identity = await newIdentity({ commonName: "nobody", clock, days: CERTIFICATE_DAYS });
  const policy = parsePolicy(policyText(identity.certificatePem, clock.now()));
  const hash = await policyHash(policy.text);
  const attested = await attest(platform, policy, hash);
  const nothingRuns = (): never => {
    throw new Error("nothing runs in a rehearsal");
  };
  const runner: RunStarter = {
    prepare: () => undefined,
    admit: nothingRuns,
    start: nothingRuns,
    close: () => Promise.resolve(),
  };
  await prepareToListen();
  const keep = buildKeep({
    policy,
    policyHash: hash,
    attested,
    device,
    runner,
    clock,
    log: silentLog,
  });
  try {
    const [ours, theirs] = duplexPair();
    keep.take(theirs);
    const answer = await ask(ours, identity);
    if (!answer.startsWith("HTTP/1.1 200 ") || !answer.includes(hash)) {
      throw new Error(`the keep answered ${answer.slice(0, 32)}`);
    }
  } catch (cause) {
    throw new BootError("BOOT_REHEARSAL", `the rehearsal failed: ${messageOf(cause)}`, { cause });
  } finally {
    await keep.close();
  }
}

/** What Node loads and compiles when a process listens for the first time; nothing listens here. */
async function prepareToListen(): Promise<void> {
  await Promise.all([import("node:cluster"), import("node:dns")]);
  isIPv6("::1");
}

/** Its policy knows no authority that it could be judged under: what the verdict says does not matter here. */
async function attest(platform: Platform, policy: Policy, hash: string): Promise<AttestedKeep> {
  const key = await newKeepKey(fromHex(hash), UNIT);
  const { chainPem, chain } = await certified(platform, key);
  const verdict = await judgeKeep({ chain, policy, policyHash: hash, at: platform.clock.now() });
  return { key, privateKey: key.privateKey, chainPem, verdict, measurement: "" };
}

/** Asks the keep at the other end for its status; answers all that came back. */
async function ask(stream: Duplex, identity: ClientIdentity): Promise<string> {
  const socket = connect({
    socket: stream,
    cert: identity.certificatePem,
    key: identity.keyPem,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    // Nobody listens in, and there is nobody else at the other end.
    rejectUnauthorized: false,
  });
  const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), PATIENCE_MS);
  try {
    socket.end("GET /v1/status HTTP/1.1\r\nhost: keep\r\nconnection: close\r\n\r\n");
    const bytes = await readBody(socket, MAXIMUM_ANSWER);
    return toText(bytes ?? new Uint8Array());
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function policyText(certificatePem: string, now: Date): string {
  return composeFullPolicy(
    {
      ciphersuite: DEFAULT_CIPHERSUITE,
      debug: false,
      enable_clock: false,
      execution_strategy: "JIT",
      max_memory_mib: 1,
      programs: [],
      identities: [{ certificate: certificatePem, file_rights: [], id: 0 }],
    },
    {
      serverUrl: NOWHERE,
      attestationUrl: NOWHERE,
      attestationCertificatePem: certificatePem,
      nitroMeasurement: "00".repeat(32),
      now,
    },
  );
}
