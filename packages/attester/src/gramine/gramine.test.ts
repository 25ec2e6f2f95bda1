// The pseudo-files of Gramine and Occlum, as recorded: a write of report data, then a quote over it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttesterError, createSgxAttester, GRAMINE, OCCLUM, type TsmFiles } from "../index.ts";

const DATA = new Uint8Array(64).fill(7);

/** One set of pseudo-files for the whole process, as there is in an enclave. */
function enclave(options: { type?: string; short?: boolean; refuse?: string } = {}) {
  const calls: string[] = [];
  let data: Uint8Array = new Uint8Array(64);
  const files: Pick<TsmFiles, "read" | "write"> = {
    async write(path, bytes) {
      calls.push(`write ${path}`);
      if (options.refuse === path) throw new Error("EIO");
      data = bytes;
    },
    async read(path) {
      calls.push(`read ${path}`);
      if (options.refuse === path) throw new Error("EIO");
      if (path.endsWith("attestation_type"))
        return new TextEncoder().encode(options.type ?? "dcap");
      return Uint8Array.of(
        ...new Uint8Array(options.short ? 10 : 432),
        ...(options.short ? [] : data),
      );
    },
  };
  return { files, calls };
}

test("Gramine: the type is asked, data written, a quote over it read", async () => {
  const { files, calls } = enclave();
  const { type, report } = await createSgxAttester(GRAMINE, files).report(DATA);
  assert.equal(type, "sgx");
  assert.deepEqual(report.subarray(-64), DATA);
  assert.deepEqual(calls, [
    "read /dev/attestation/attestation_type",
    "write /dev/attestation/user_report_data",
    "read /dev/attestation/quote",
  ]);
});

test("Occlum: data written, a quote over it read", async () => {
  const { files, calls } = enclave();
  await createSgxAttester(OCCLUM, files).report(DATA);
  assert.deepEqual(calls, ["write /dev/attestation_report_data", "read /dev/attestation_quote"]);
});

test("requests at the same time don't mix", async () => {
  const attester = createSgxAttester(GRAMINE, enclave().files);
  const data = [1, 2, 3].map((fill) => new Uint8Array(64).fill(fill));
  const quotes = await Promise.all(data.map((each) => attester.report(each)));
  assert.deepEqual(
    quotes.map(({ report }) => report.at(-1)),
    [1, 2, 3],
  );
});

const REFUSED: readonly (readonly [string, Parameters<typeof enclave>[0], string])[] = [
  ["no attestation at all", { type: "none" }, "ATTESTER_REFUSED"],
  ["the retired EPID", { type: "epid" }, "ATTESTER_REFUSED"],
  ["no pseudo-files", { refuse: GRAMINE.type ?? "" }, "ATTESTER_UNREACHABLE"],
  ["report data refused", { refuse: GRAMINE.reportData }, "ATTESTER_REFUSED"],
  ["a quote refused", { refuse: GRAMINE.quote }, "ATTESTER_REFUSED"],
  ["a quote too short to be one", { short: true }, "ATTESTER_REFUSED"],
];

for (const [name, options, code] of REFUSED) {
  test(`refused: ${name}`, async () => {
    const { files } = enclave(options);
    await assert.rejects(
      createSgxAttester(GRAMINE, files).report(DATA),
      (error: AttesterError) => error.code === code,
    );
  });
}

test("a request that fails does not stop the next one", async () => {
  const attester = createSgxAttester(GRAMINE, enclave().files);
  await assert.rejects(attester.report(new Uint8Array(3)));
  assert.equal((await attester.report(DATA)).type, "sgx");
});
