// What a keep insists on before it serves, and how it stays attested.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import {
  type Attester,
  createSimulatedNsm,
  newSimulatedAuthority,
  simulatedPcrs,
} from "@holdfast/attester";
import { keepClaims, newIdentity, newKeepKey } from "@holdfast/channel";
import { fromHex, parseCertificationRequest, toHex } from "@holdfast/core";
import { parsePolicy, policyHash } from "@holdfast/policy";
import { type BootConfig, parseAssignment, parseBootConfig } from "../config.ts";
import { BootError, type BootErrorCode } from "../errors.ts";
import { createLog, silentLog } from "../log.ts";
import { newStandIn, type StandInOptions } from "../testing/stand-in-service.ts";
import { TestClock } from "../testing/test-clock.ts";
import { policyText, READ } from "../testing/test-policy.ts";
import { type AttestDeps, attestKeep } from "./attest-keep.ts";
import { type AttestationService, attestationServiceOver } from "./attestation-service.ts";
import { callsOverStream } from "./loader-calls.ts";
import { type Orders, readOrders } from "./read-orders.ts";
import { rehearse } from "./rehearse.ts";
import { relayOver } from "./relay.ts";
import { renewInTime } from "./renew-in-time.ts";

const MEASUREMENT = "5a".repeat(32);
const HOUR = 60 * 60 * 1000;

describe("what a keep insists on", () => {
  test("a certificate for its own measurement, policy and key", async () => {
    const deps = await depsWith({});
    const attested = await attestKeep(deps);
    assert.equal(attested.measurement, MEASUREMENT);
    assert.equal(attested.verdict.affirmed, true);
  });

  test("another measurement is refused", async () => {
    await fails("BOOT_CERTIFICATE", attestKeep(await depsWith({ measurement: "6b".repeat(32) })));
  });

  test("another policy hash is refused", async () => {
    await fails("BOOT_CERTIFICATE", attestKeep(await depsWith({ policyHash: "00".repeat(32) })));
  });

  test("another authority than the policy's is refused", async () => {
    const deps = await depsWith({});
    const other = await newStandIn({ clock: deps.clock, measurement: MEASUREMENT });
    await fails("BOOT_CERTIFICATE", attestKeep({ ...deps, service: other }));
  });

  test("a certificate for another key is refused", async () => {
    const deps = await depsWith({});
    const { request } = await newKeepKey(fromHex(deps.policyHash), "another keep");
    const service = {
      ...deps.service,
      certificate: () => deps.service.certificate({ challengeId: "", evidence: request, request }),
    };
    await fails("BOOT_CERTIFICATE", attestKeep({ ...deps, service }));
  });

  test("a chain that can't be read is refused", async () => {
    const deps = await depsWith({});
    const service = { ...deps.service, certificate: async () => "no certificate at all" };
    await fails("BOOT_CERTIFICATE", attestKeep({ ...deps, service }));
  });

  test("a device that gives no evidence", async () => {
    const device: Attester = { attest: () => Promise.reject(new Error("broken")) };
    await fails("BOOT_EVIDENCE", attestKeep({ ...(await depsWith({})), device }));
  });

  test("evidence is over the challenge and the request", async () => {
    const deps = await depsWith({});
    const seen: { nonce?: Uint8Array; userData?: Uint8Array }[] = [];
    const device: Attester = {
      attest(input) {
        seen.push(input);
        return deps.device.attest(input);
      },
    };
    const nonce = new Uint8Array(32).fill(7);
    const service = { ...deps.service, challenge: async () => ({ id: "1", nonce }) };
    const { key } = await attestKeep({ ...deps, device, service });
    assert.deepEqual(seen[0]?.nonce, nonce);
    const digest = createHash("sha256").update(key.request).digest();
    assert.deepEqual(Buffer.from(seen[0]?.userData ?? []), digest);
  });
});

describe("the way to the attestation service", () => {
  const answering = (answer: unknown): ReturnType<typeof attestationServiceOver> =>
    attestationServiceOver({ post: async () => answer as { status: number; body: string } });

  test("a refusal, an answer that is no JSON, one without a nonce", async () => {
    const refusal = { status: 403, body: '{"code":"ATTESTATION_REFUSED"}' };
    await fails("BOOT_REFUSED", answering(refusal).challenge(), /403 ATTESTATION_REFUSED/);
    await fails("BOOT_SERVICE", answering({ status: 201, body: "hello" }).challenge());
    await fails("BOOT_SERVICE", answering({ status: 201, body: "{}" }).challenge());
    const short = { status: 201, body: '{"challenge_id":"1","nonce":"AAAA"}' };
    await fails("BOOT_SERVICE", answering(short).challenge(), /32 bytes/);
  });

  test("a loader that is gone, and one that answers nonsense", async () => {
    const gone = new PassThrough();
    const lost = relayOver(callsOverStream(gone)).post("/v1/challenges", {});
    gone.destroy();
    await fails("BOOT_SERVICE", lost);
    // A stream that gives back what is sent is a loader that answers with questions.
    await fails(
      "BOOT_SERVICE",
      relayOver(callsOverStream(new PassThrough())).post("/v1/challenges", {}),
    );
  });
});

describe("the rehearsal of a keep that waits", () => {
  test("is certified and serves, with a key that is never used again", async () => {
    const deps = await depsWith({});
    const requests: Uint8Array[] = [];
    const service: AttestationService = {
      ...deps.service,
      certificate(request) {
        requests.push(request.request);
        return deps.service.certificate(request);
      },
    };
    await rehearse({ ...deps, service });
    await attestKeep({ ...deps, service });
    const [first, second] = requests.map((request) => parseCertificationRequest(request));
    assert.ok(first !== undefined && second !== undefined);
    assert.notEqual(toHex(first.spki), toHex(second.spki));
    assert.notEqual(keepClaims(first).policyHash, deps.policyHash);
    assert.equal(keepClaims(second).policyHash, deps.policyHash);
  });

  test("fails where the attestation would", async () => {
    const deps = await depsWith({});
    const device: Attester = { attest: () => Promise.reject(new Error("broken")) };
    await fails("BOOT_EVIDENCE", rehearse({ ...deps, device }));
    const service = { ...deps.service, certificate: async () => "no certificate at all" };
    await fails("BOOT_CERTIFICATE", rehearse({ ...deps, service }));
    const { request } = await newKeepKey(fromHex(deps.policyHash), "another keep");
    const other = {
      ...deps.service,
      certificate: () => deps.service.certificate({ challengeId: "", evidence: request, request }),
    };
    await fails("BOOT_CERTIFICATE", rehearse({ ...deps, service: other }));
  });

  test("fails when the keep does not answer its client", async () => {
    const deps = await depsWith({});
    const device: Attester = {
      attest(input) {
        // By the time of the connection the client's certificate has ended.
        (deps.clock as TestClock).advance(48 * HOUR);
        return deps.device.attest(input);
      },
    };
    await fails("BOOT_REHEARSAL", rehearse({ ...deps, device }));
  });
});

describe("the orders", () => {
  const boot = { attestation_url: "http://127.0.0.1:3010", ahead: true };
  const listen = { host: "::", port: 1 };
  const assignmentOf = async (): Promise<object> => {
    return { policy: (await depsWith({})).policy.text, listen };
  };
  const told = (...lines: readonly object[]): Orders => {
    const stream = new PassThrough();
    stream.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return readOrders(stream);
  };

  test("are a configuration, and an assignment with which they end", async () => {
    const orders = told(boot, await assignmentOf());
    const first = await orders.boot();
    assert.deepEqual(first, { service: "127.0.0.1:3010", ahead: true });
    assert.equal((await orders.assignment(first)).listen.port, 1);
  });

  test("a second assignment is refused", async () => {
    const assignment = await assignmentOf();
    const orders = told(boot, assignment, assignment);
    await fails("BOOT_CONFIG", orders.assignment(await orders.boot()), /twice/);
  });

  test("orders that do not end are no orders", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const stream = new PassThrough();
    const orders = readOrders(stream);
    stream.write(`${JSON.stringify(boot)}\n${JSON.stringify(await assignmentOf())}\n`);
    const waiting = orders.assignment(await orders.boot());
    waiting.catch(() => undefined);
    // Until it waits for the end.
    while (stream.readableLength > 0) await undefined;
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(60_000);
    await fails("BOOT_CONFIG", waiting);
  });

  test("a loader that is gone before it has said everything", async () => {
    await fails("BOOT_CONFIG", told().boot(), /no configuration/);
    const orders = told(boot);
    await fails("BOOT_CONFIG", orders.assignment(await orders.boot()), /no assignment/);
    const broken = new PassThrough();
    const lost = readOrders(broken).boot();
    broken.destroy(new Error("broken"));
    await fails("BOOT_CONFIG", lost);
  });

  test("policy and configuration name one attestation service", async () => {
    const assignment = JSON.stringify(await assignmentOf());
    const config = (attestation_url: string): BootConfig =>
      parseBootConfig(JSON.stringify({ attestation_url }));
    const read = parseAssignment(assignment, config("http://127.0.0.1:3010"));
    assert.equal(read.listen.port, 1);
    assert.equal(parseAssignment(assignment, config("https://127.0.0.1:3010")).listen.port, 1);
    throws("BOOT_ATTESTATION_URL", () =>
      parseAssignment(assignment, config("http://127.0.0.1:3011")),
    );
    throws("BOOT_CONFIG", () => config("ftp://127.0.0.1:3010"));
  });

  test("what can't be read is refused, and says why", () => {
    const config = { service: "a:1", ahead: false };
    throws("BOOT_CONFIG", () => parseBootConfig("{"));
    throws("BOOT_CONFIG", () => parseBootConfig('{"attestation_url":"http://a:1","ahead":1}'));
    throws("BOOT_CONFIG", () => parseAssignment("[]", config));
    const { host } = listen;
    const text = JSON.stringify({ policy: "{}", listen: { host, port: 70_000 } });
    throws("BOOT_POLICY", () => parseAssignment(text, config));
  });
});

describe("renewal", () => {
  test("comes at two thirds of the certificate's life, with the same key", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const deps = await depsWith({ hours: 24 });
    const attested = await attestKeep(deps);
    const renewed = renewal();
    const plan = renewInTime({ attested, deps, log: silentLog, renew: renewed.take });
    const clock = deps.clock as TestClock;
    clock.advance(15 * HOUR);
    t.mock.timers.tick(15 * HOUR);
    assert.equal(renewed.count, 0);
    clock.advance(HOUR + 1);
    t.mock.timers.tick(HOUR + 1);
    const next = await renewed.next;
    assert.deepEqual(next.key.spki, attested.key.spki);
    assert.ok(next.verdict.notAfter > attested.verdict.notAfter);
    plan.stop();
  });

  test("is tried again when it fails", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const deps = await depsWith({ hours: 24 });
    const attested = await attestKeep(deps);
    let broken = true;
    const service = {
      ...deps.service,
      challenge: () => (broken ? Promise.reject(new Error("away")) : deps.service.challenge()),
    };
    const failed = Promise.withResolvers<void>();
    const log = createLog(deps.clock, (line) => {
      if (line.includes("renewal-failed")) failed.resolve();
    });
    const renewed = renewal();
    const plan = renewInTime({ attested, deps: { ...deps, service }, log, renew: renewed.take });
    (deps.clock as TestClock).advance(17 * HOUR);
    t.mock.timers.tick(17 * HOUR);
    await failed.promise;
    broken = false;
    (deps.clock as TestClock).advance(20_000);
    t.mock.timers.tick(20_000);
    await renewed.next;
    plan.stop();
  });
});

type Attested = Awaited<ReturnType<typeof attestKeep>>;

function renewal(): { count: number; next: Promise<Attested>; take: (next: Attested) => void } {
  const { promise, resolve } = Promise.withResolvers<Attested>();
  const seen = {
    count: 0,
    next: promise,
    take(next: Attested) {
      seen.count += 1;
      resolve(next);
    },
  };
  return seen;
}

async function depsWith(options: Partial<StandInOptions>): Promise<AttestDeps> {
  const clock = new TestClock();
  const service = await newStandIn({ clock, measurement: MEASUREMENT, ...options });
  const { certificatePem } = await newIdentity({ commonName: "somebody", clock });
  const text = policyText({
    identities: [{ certificatePem, rights: { "/in/": READ } }],
    serverUrl: "127.0.0.1:1",
    attestationUrl: "127.0.0.1:3010",
    attestationCertificatePem: service.certificatePem,
    measurement: MEASUREMENT,
  });
  const device = createSimulatedNsm({
    authority: await newSimulatedAuthority(clock),
    pcrs: simulatedPcrs(new Uint8Array(48).fill(0x5a)),
    moduleId: "i-test-enc1",
    clock,
  });
  const policy = parsePolicy(text);
  return { policy, policyHash: await policyHash(text), device, service, clock };
}

async function fails(code: BootErrorCode, call: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(call, (thrown) => isFault(thrown, code, message));
}

function throws(code: BootErrorCode, act: () => unknown): void {
  assert.throws(act, (thrown) => isFault(thrown, code, /./));
}

function isFault(thrown: unknown, code: BootErrorCode, message: RegExp): boolean {
  assert.ok(thrown instanceof BootError, String(thrown));
  assert.equal(thrown.code, code, thrown.message);
  assert.match(thrown.message, message);
  return true;
}
