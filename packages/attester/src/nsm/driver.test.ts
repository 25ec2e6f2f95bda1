// The relay over a driver that is played: the very ioctl, its code and its addresses, in a process of its own with the flags
// that it is started with; and each fault of a driver by itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { fromPem, parseCertificate, systemClock, webCrypto } from "@holdfast/core";
import { verifyNitro } from "@holdfast/evidence";
import {
  AttesterError,
  createNsmAttester,
  createSimulatedNsm,
  encodeAttestationRequest,
  encodeResponse,
  type NsmResponse,
  newSimulatedAuthority,
  simulatedPcrs,
} from "../index.ts";

const COMPILER = ["/usr/bin/gcc", "/usr/bin/clang"].find((path) => existsSync(path));
if (COMPILER === undefined && process.env["HOLDFAST_PEERS"] === "required") {
  throw new Error("neither gcc nor clang is installed");
}
const skip = COMPILER === undefined && "neither gcc nor clang is installed";
const NONCE = new Uint8Array(32).fill(1);
const USER_DATA = new Uint8Array(32).fill(2);
const DOCUMENT = Uint8Array.of(1, 2, 3);

const directory = mkdtempSync(join(tmpdir(), "holdfast-nsm-"));
after(() => rmSync(directory, { recursive: true }));
const [device, requestFile, answerFile] = ["nsm", "request", "answer"].map((name) =>
  join(directory, name),
) as [string, string, string];

function compileDriver(): string {
  const driver = join(directory, "driver.so");
  const source = join(import.meta.dirname, "../testing/nsm-driver.c");
  const flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", driver, source];
  const { status, stderr } = spawnSync(COMPILER ?? "", flags, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return driver;
}

const driver = skip === false ? compileDriver() : "";

/** What the driver does. */
interface Played {
  readonly answer?: NsmResponse | Uint8Array;
  readonly fault?: string;
  readonly timeoutMs?: number;
}

const GOOD = { kind: "attestation", document: DOCUMENT } as const;

async function attesterOver(t: TestContext, { answer = GOOD, fault = "", timeoutMs }: Played = {}) {
  await writeFile(device, "");
  await writeFile(answerFile, answer instanceof Uint8Array ? answer : encodeResponse(answer));
  const attester = createNsmAttester({
    device,
    timeoutMs: timeoutMs ?? 20_000,
    environment: {
      LD_PRELOAD: driver,
      DRIVER_DEVICE: device,
      DRIVER_REQUEST: requestFile,
      DRIVER_ANSWER: answerFile,
      DRIVER_FAULT: fault,
    },
  });
  t.after(() => attester.close());
  return attester;
}

test("a document of the module comes through the driver, and is affirmed", { skip }, async (t) => {
  const authority = await newSimulatedAuthority(systemClock);
  const [root = new Uint8Array()] = fromPem("CERTIFICATE", authority.certificatePem);
  const pcrs = simulatedPcrs(new Uint8Array(48).fill(7));
  const moduleId = "i-simulated-enc01";
  const nsm = createSimulatedNsm({ authority, pcrs, moduleId, clock: systemClock });
  const input = { nonce: NONCE, userData: USER_DATA };
  const answer = { kind: "attestation", document: await nsm.attest(input) } as const;
  const attester = await attesterOver(t, { answer });
  for (const turn of [1, 2, 3]) {
    const document = await attester.attest(input);
    assert.deepEqual(document, answer.document, `turn ${turn}`);
    // The driver was given the module's own request, and nothing else.
    const request = new Uint8Array(await readFile(requestFile));
    assert.deepEqual(request, encodeAttestationRequest(input));
    const { verdict } = await verifyNitro(document, {
      anchors: [parseCertificate(root)],
      at: systemClock.now(),
      crypto: webCrypto,
      nonce: NONCE,
      userData: USER_DATA,
      pcrs: new Map([[0, pcrs.get(0) ?? new Uint8Array()]]),
    });
    assert.equal(verdict, "affirmed");
  }
});

test("an answer as long as the driver's room comes whole", { skip }, async (t) => {
  const document = new Uint8Array(0x3000 - 26).map((_, index) => index);
  const answer = { kind: "attestation", document } as const;
  assert.equal(encodeResponse(answer).length, 0x3000);
  const attester = await attesterOver(t, { answer });
  assert.deepEqual(await attester.attest({ nonce: NONCE }), document);
});

const FAULTS: readonly (Played & {
  readonly name: string;
  readonly code: string;
  readonly message: RegExp;
})[] = [
  {
    name: "fails",
    fault: "failing",
    code: "ATTESTER_REFUSED",
    message: /InternalError.*fails with error 5/,
  },
  {
    name: "finds the request too large",
    fault: "too large",
    code: "ATTESTER_REFUSED",
    message: /InputTooLarge/,
  },
  {
    name: "claims more than its room",
    fault: "oversize",
    code: "ATTESTER_REFUSED",
    message: /answers 12289 bytes/,
  },
  {
    name: "claims an empty answer",
    fault: "empty",
    code: "ATTESTER_REFUSED",
    message: /answers 0 bytes/,
  },
  {
    name: "gives garbage",
    answer: Uint8Array.of(0xff, 0, 1),
    code: "ATTESTER_PROTOCOL",
    message: /can't be read/,
  },
  {
    name: "gives bytes behind its answer",
    answer: Uint8Array.of(...encodeResponse(GOOD), 0),
    code: "ATTESTER_PROTOCOL",
    message: /can't be read/,
  },
  {
    name: "takes the process down",
    fault: "dying",
    code: "ATTESTER_UNREACHABLE",
    message: /stream ended/,
  },
  {
    name: "never answers",
    fault: "silent",
    timeoutMs: 1500,
    code: "ATTESTER_UNREACHABLE",
    message: /no answer within/,
  },
  {
    name: "hands on the module's refusal",
    answer: { kind: "error", reason: "InvalidOperation" },
    code: "ATTESTER_REFUSED",
    message: /InvalidOperation/,
  },
];

for (const { name, code, message, ...played } of FAULTS) {
  test(`a driver that ${name} is an error of ours`, { skip }, async (t) => {
    const attester = await attesterOver(t, played);
    await assert.rejects(attester.attest({ nonce: NONCE }), isError(code, message));
  });
}

test("after a relay has ended another one answers", { skip }, async (t) => {
  const attester = await attesterOver(t);
  assert.deepEqual(await attester.attest({ nonce: NONCE }), DOCUMENT);
  attester.close();
  assert.deepEqual(await attester.attest({ nonce: NONCE }), DOCUMENT);
});

test("a machine without the device is told so", async () => {
  const attester = createNsmAttester({ device: join(directory, "none") });
  await assert.rejects(
    attester.attest({ nonce: NONCE }),
    isError("ATTESTER_UNREACHABLE", /none can't be used: ENOENT/),
  );
});

test("a device that is none is told so", async () => {
  const attester = createNsmAttester({ device: "/dev/null" });
  await assert.rejects(
    attester.attest({ nonce: NONCE }),
    isError("ATTESTER_REFUSED", /fails with error 25/),
  );
  attester.close();
});

function isError(code: string, message: RegExp) {
  return (thrown: unknown): boolean => {
    assert.ok(thrown instanceof AttesterError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    return true;
  };
}
