// Launch digests and measurements: samples computed elsewhere, and what each input changes.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { toHex, webCrypto } from "@holdfast/core";
import {
  checkSevLaunch,
  type LaunchedGuestWithProcessors,
  processorSignature,
  QEMU_PROCESSORS,
  type SevLaunch,
  sevEsLaunchDigest,
  sevLaunchDigest,
  sevLaunchMeasure,
  snpLaunchDigest,
} from "../index.ts";
import { vectorBytes, vectorJson, WITH_VECTORS } from "../testing/vectors.ts";

interface Sample {
  readonly name: string;
  readonly kind: "snp" | "seves" | "sev";
  readonly vcpus?: number;
  readonly ovmf: string;
  readonly guestFeatures?: string;
  readonly kernel: string | null;
  readonly append: string | null;
  readonly vmm: string;
  readonly ovmfHash?: string;
  readonly expected: string;
}

function guestOf(sample: Sample): LaunchedGuestWithProcessors {
  return {
    firmware: vectorBytes(`sev/${sample.ovmf}`),
    ...(sample.kernel === null
      ? {}
      : { started: { kernel: new Uint8Array(), commandLine: sample.append ?? "" } }),
    processors: sample.vcpus ?? 1,
    start: {
      hypervisor: sample.vmm === "EC2" ? "ec2" : "qemu",
      signature: QEMU_PROCESSORS["EPYC-v4"] ?? 0,
      features: BigInt(sample.guestFeatures ?? "0"),
    },
  };
}

test("launch digests as computed elsewhere", WITH_VECTORS, async (t) => {
  for (const sample of vectorJson<Sample[]>("sev/launch-digests.json")) {
    await t.test(sample.name, async () => {
      const guest = guestOf(sample);
      const start = sample.ovmfHash === undefined ? undefined : Uint8Array.fromHex(sample.ovmfHash);
      const digest =
        sample.kind === "snp"
          ? await snpLaunchDigest(guest, webCrypto, start)
          : sample.kind === "seves"
            ? await sevEsLaunchDigest(guest, webCrypto)
            : await sevLaunchDigest(guest, webCrypto);
      assert.equal(toHex(digest), sample.expected);
    });
  }
});

const TIK = new Uint8Array(16).fill(1);
const LAUNCH: SevLaunch = {
  apiMajor: 1,
  apiMinor: 51,
  build: 3,
  policy: 1,
  launchDigest: new Uint8Array(32).fill(2),
};
const NONCE = new Uint8Array(16).fill(3);

test("a launch measurement as computed elsewhere", WITH_VECTORS, async () => {
  const sample = vectorJson<Record<string, string | number>>("sev/launch-measure.json");
  const hex = (name: string) => Uint8Array.fromHex(String(sample[name]));
  const launch = {
    apiMajor: Number(sample["apiMajor"]),
    apiMinor: Number(sample["apiMinor"]),
    build: Number(sample["build"]),
    policy: Number(sample["policy"]),
    launchDigest: hex("launchDigest"),
  };
  const measure = await sevLaunchMeasure(launch, hex("tik"), hex("mnonce"), webCrypto);
  assert.equal(toHex(measure), sample["expectedMeasure"]);
});

test("a measurement is the keyed hash of every input, and each is checked", async () => {
  const policy = new Uint8Array(4);
  policy[0] = 1;
  const wanted = createHmac("sha256", TIK)
    .update(Uint8Array.of(4, 1, 51, 3))
    .update(policy)
    .update(LAUNCH.launchDigest)
    .update(NONCE)
    .digest();
  const measure = await sevLaunchMeasure(LAUNCH, TIK, NONCE, webCrypto);
  assert.equal(toHex(measure), wanted.toString("hex"));
  const answer = Uint8Array.of(...measure, ...NONCE);
  const accepted = { launchDigests: [LAUNCH.launchDigest] };
  const failing = async (
    launch: Partial<SevLaunch>,
    given: Partial<{ answer: Uint8Array; tik: Uint8Array; policy: object }> = {},
  ) =>
    (
      await checkSevLaunch(
        { ...LAUNCH, ...launch },
        given.answer ?? answer,
        given.tik ?? TIK,
        { ...accepted, ...given.policy },
        webCrypto,
      )
    )
      .filter(({ outcome }) => outcome === "failed")
      .map(({ name }) => name);
  assert.deepEqual(await failing({}), []);
  assert.deepEqual(await failing({ apiMajor: 2 }), ["sev.measure"]);
  assert.deepEqual(await failing({ apiMinor: 52 }), ["sev.measure"]);
  assert.deepEqual(await failing({ build: 4 }), ["sev.measure"]);
  assert.deepEqual(await failing({ policy: 3 }), ["sev.measure"]);
  assert.deepEqual(await failing({ policy: 0 }), ["sev.measure", "sev.policy"]);
  const other = new Uint8Array(32);
  assert.deepEqual(await failing({ launchDigest: other }), ["sev.measure", "sev.launch-digest"]);
  assert.deepEqual(await failing({}, { tik: new Uint8Array(16) }), ["sev.measure"]);
  assert.deepEqual(await failing({}, { answer: answer.subarray(0, 47) }), ["sev.measure"]);
  assert.deepEqual(await failing({}, { policy: { launchDigests: [] } }), ["sev.launch-digest"]);
  assert.deepEqual(await failing({}, { policy: { minimumBuild: 4 } }), ["sev.firmware"]);
  assert.deepEqual(await failing({}, { policy: { minimumApi: [1, 52] } }), ["sev.firmware"]);
});

test("processor signatures are those of CPUID", () => {
  assert.equal(processorSignature(23, 1, 2), 0x800f12);
  assert.equal(processorSignature(25, 1, 1), 0xa00f11);
  assert.equal(processorSignature(25, 17, 0), 0xa10f10);
  assert.equal(processorSignature(6, 15, 11), 0x6fb);
});

test("firmware that says nothing of SEV is refused", async () => {
  const guest = (firmware: Uint8Array): LaunchedGuestWithProcessors => ({
    firmware,
    processors: 1,
    start: { hypervisor: "qemu", signature: 0, features: 1n },
  });
  for (const firmware of [new Uint8Array(), new Uint8Array(4096), new Uint8Array(100)]) {
    await assert.rejects(snpLaunchDigest(guest(firmware), webCrypto), {
      code: "EVIDENCE_MALFORMED",
    });
  }
});
