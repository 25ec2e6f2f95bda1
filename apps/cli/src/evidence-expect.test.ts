// `holdfast evidence expect`: digests computed elsewhere, found again through the command; own firmware; what is refused.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { before, suite, test } from "node:test";
import { toHex, webCrypto } from "@holdfast/core";
import {
  sevEsLaunchDigest,
  snpLaunchDigest,
  tdxBootRegisters,
  tdxLaunchDigest,
} from "@holdfast/evidence";
import { encodeFirmware, encodeTdFirmware, peImage, sampleFolder } from "@holdfast/testkit";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";

interface Sample {
  readonly name: string;
  readonly kind: "snp" | "seves" | "sev";
  readonly vcpus?: number;
  readonly ovmf: string;
  readonly guestFeatures?: string;
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly append: string | null;
  readonly vmm: string;
  readonly ovmfHash?: string;
  readonly expected: string;
}

const { folder } = sampleFolder("evidence/sev");
const WITH_SAMPLES = {
  skip: folder === undefined && "no samples at ../shared/vectors/evidence/sev",
};

function argumentsOf(sample: Sample, samples: string): string[] {
  const option = (name: string, value: unknown): string[] =>
    value === undefined || value === null ? [] : [name, String(value)];
  const ec2 = sample.vmm === "EC2";
  return [
    sample.kind,
    ...option("--firmware", resolve(samples, sample.ovmf)),
    ...option("--kernel", sample.kernel === null ? null : "empty"),
    ...option("--initrd", sample.initrd === null ? null : "empty"),
    ...option("--command-line", sample.append),
    ...option("--vcpus", sample.kind === "sev" ? null : sample.vcpus),
    ...option("--vcpu-type", sample.kind === "sev" || ec2 ? null : "EPYC-v4"),
    ...option("--hypervisor", ec2 ? "ec2" : null),
    ...option("--guest-features", sample.guestFeatures),
    ...option("--firmware-digest", sample.ovmfHash),
  ];
}

suite("evidence expect", () => {
  inEmptyDirectory();
  const kernel = peImage();
  const initrd = new Uint8Array(50).fill(2);
  const firmware = encodeFirmware();
  const tdFirmware = encodeTdFirmware({
    sections: [[0, 8192, 0xffffe000, 8192, 0, 1]],
  });
  before(() => {
    const files = { kernel, initrd, firmware, "td.fd": tdFirmware, empty: "", odd: "no firmware" };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(name, bytes);
  });

  test("finds the digests that others computed", WITH_SAMPLES, async (t) => {
    const samples = folder ?? "";
    const file = resolve(samples, "launch-digests.json");
    assert.ok(existsSync(file));
    for (const sample of JSON.parse(readFileSync(file, "utf8")) as Sample[]) {
      await t.test(sample.name, async () => {
        const words = ["evidence", "expect", ...argumentsOf(sample, samples)];
        const { code, value } = await runJson(words);
        assert.equal(code, 0, JSON.stringify(value));
        const name = sample.kind === "snp" ? "measurement" : "launchDigest";
        assert.deepEqual(value["expected"], { [name]: sample.expected });
        const told = await run(words);
        assert.match(told.stdout, new RegExp(`^${name}: ${sample.expected}$`, "m"));
      });
    }
  });

  const STARTED = ["--kernel", "kernel", "--initrd", "initrd", "--command-line", "quiet"];
  const started = { kernel, initrd, commandLine: "quiet" };

  test("puts what it is told into the digest, and says what it was told", async () => {
    const processors = ["--vcpus", "2", "--vcpu-type", "25:17:0"];
    const start = { hypervisor: "qemu", signature: 0xa10f10 } as const;
    const snp = await runJson([
      ...["evidence", "expect", "sev-snp", "--firmware", "firmware", ...STARTED, ...processors],
      ...["--guest-features", "0x21"],
    ]);
    const guest = { firmware, started, processors: 2, start: { ...start, features: 0x21n } };
    assert.deepEqual(snp.value["expected"], {
      measurement: toHex(await snpLaunchDigest(guest, webCrypto)),
    });
    assert.deepEqual(snp.value["guest"], {
      commandLine: "quiet",
      vcpus: 2,
      hypervisor: "qemu",
      vcpuSignature: "0xa10f10",
      guestFeatures: "0x21",
    });
    const es = await runJson([
      ...["evidence", "expect", "sev-es", "--firmware", "firmware", ...STARTED, ...processors],
    ]);
    assert.deepEqual(es.value["expected"], {
      launchDigest: toHex(await sevEsLaunchDigest(guest, webCrypto)),
    });
    const inputs = es.value["inputs"] as { role: string; sha256: string }[];
    assert.deepEqual(
      inputs.map(({ role }) => role),
      ["firmware", "kernel", "initrd"],
    );
    assert.equal(inputs[1]?.sha256, toHex(await webCrypto.digest("SHA-256", kernel)));
  });

  test("takes a processor by any of its names", async () => {
    const words = ["evidence", "expect", "snp", "--firmware", "firmware", "--vcpus", "1"];
    const digests = new Set<string>();
    for (const type of ["EPYC-Milan", "epyc-milan-v2", "25:1:1", "0xa00f11"]) {
      const { value } = await runJson([...words, "--vcpu-type", type]);
      digests.add(JSON.stringify(value["expected"]));
    }
    assert.equal(digests.size, 1);
    const other = await runJson([...words, "--vcpu-type", "EPYC-Genoa"]);
    assert.ok(!digests.has(JSON.stringify(other.value["expected"])));
  });

  test("gives a TD's registers under the names that its quote has", async () => {
    const words = ["evidence", "expect", "tdx", "--firmware", "td.fd"];
    const alone = await runJson(words);
    const mrTd = toHex(await tdxLaunchDigest(tdFirmware, webCrypto));
    assert.deepEqual(alone.value["expected"], { mrTd });
    const whole = await runJson([...words, ...STARTED, "--page-order", "section"]);
    const { rtmr1, rtmr2 } = await tdxBootRegisters(started, webCrypto);
    assert.deepEqual(whole.value["expected"], {
      mrTd: toHex(await tdxLaunchDigest(tdFirmware, webCrypto, "section")),
      rtMr1: toHex(rtmr1),
      rtMr2: toHex(rtmr2),
    });
    const { stdout } = await run(words);
    assert.match(stdout, new RegExp(`evidence verify FILE --expect mrTd=${mrTd}$`, "m"));
    assert.match(stdout, /give it with --kernel/);
  });

  const SNP = ["sev-snp", "--firmware", "firmware"];
  const ONE = ["--vcpus", "1", "--vcpu-type", "EPYC"];
  const USAGE: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["an unknown platform", ["cca", "--firmware", "firmware"], /sev, sev-es, sev-snp, tdx/],
    ["no firmware", ["tdx"], /--firmware/],
    ["no processors", SNP, /measures every processor/],
    ["no type of processor", [...SNP, "--vcpus", "1"], /with their type/],
    ["a type that EC2 does not measure", [...SNP, ...ONE, "--hypervisor", "ec2"], /without their/],
    [
      "processors of SEV",
      ["sev", "--firmware", "firmware", "--vcpus", "1"],
      /not measure.*--vcpus/,
    ],
    ["processors of a TD", ["tdx", "--firmware", "td.fd", ...ONE], /not measure.*--vcpus/],
    ["pages of SNP in order", [...SNP, ...ONE, "--page-order", "page"], /--page-order/],
    ["an initrd alone", [...SNP, ...ONE, "--initrd", "initrd"], /--initrd .* kernel from outside/],
    ["a command line alone", [...SNP, ...ONE, "--command-line", ""], /--command-line .* kernel/],
    ["an unknown processor", [...SNP, "--vcpus", "1", "--vcpu-type", "Xeon"], /EPYC-Genoa/],
    ["a stepping too large", [...SNP, "--vcpus", "1", "--vcpu-type", "25:1:16"], /EPYC-Genoa/],
    ["no processor at all", [...SNP, "--vcpus", "0"], /1 to 512/],
    ["too many processors", [...SNP, "--vcpus", "513"], /1 to 512/],
    ["features of no SNP guest", [...SNP, ...ONE, "--guest-features", "0x20"], /bit 0/],
    ["a short digest", [...SNP, ...ONE, "--firmware-digest", "00"], /96 hexadecimal/],
  ];
  for (const [fault, words, said] of USAGE) {
    test(`is a wrong command line with ${fault}`, async () => {
      const { code, stdout, stderr } = await run(["evidence", "expect", ...words]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, said);
      assert.match(stderr, /^ {2}try: /m);
    });
  }

  test("says what is wrong with a file, and what to try", async () => {
    writeFileSync("unchecked", encodeFirmware({ without: ["hashes"], sections: [] }));
    const wrong: readonly (readonly [readonly string[], string, RegExp])[] = [
      [["tdx", "--firmware", "none"], "CLI_FILE", /no firmware at none/],
      [["tdx", "--firmware", "."], "CLI_FILE", /not a file/],
      [["sev", "--firmware", "odd"], "CLI_INPUT", /whole pages/],
      [["sev-snp", "--firmware", "td.fd", ...ONE], "CLI_INPUT", /try: this firmware is not made/],
      [["tdx", "--firmware", "firmware"], "CLI_INPUT", /no TDX metadata/],
      [["tdx", "--firmware", "td.fd", "--kernel", "odd"], "CLI_INPUT", /try: .*EFI stub/],
      [
        ["sev-snp", "--firmware", "unchecked", ...ONE, "--kernel", "kernel"],
        "CLI_INPUT",
        /try: give firmware that checks kernels/,
      ],
      [["sev", "--firmware", "firmware", "--kernel", "none"], "CLI_FILE", /no kernel at none/],
    ];
    for (const [words, expected, said] of wrong) {
      const { code, stdout, stderr } = await run(["evidence", "expect", ...words]);
      assert.equal(code, 1, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, said);
      assert.ok(stderr.includes(`(${expected})`), stderr);
      const { value } = await runJson(["evidence", "expect", ...words]);
      assert.equal(value.error?.code, expected);
    }
  });
});
