// Terms that no other system has: read, and refused when they can't be kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFunctionPolicy, parsePolicy, parseVaasPolicy } from "./index.ts";
import { faultsOf } from "./testing/faults.ts";
import { functionPolicy, policyText, vaasPolicy } from "./testing/seed-policies.ts";

const terms = (holdfast: unknown) => parsePolicy(policyText({ holdfast })).terms;
const refused = (holdfast: unknown, ...faults: string[]) =>
  assert.deepEqual(
    faultsOf(() => terms(holdfast)),
    faults,
  );

test("without the member there are no terms", () => {
  assert.deepEqual(parsePolicy(policyText()).terms, {
    programs: new Map(),
    limits: {},
    requiredInputs: [],
    inputs: [],
    readLimits: [],
    consent: [],
    keepPartialOutput: false,
  });
});

test("all terms are read", () => {
  assert.deepEqual(
    terms({
      programs: [
        {
          program_file_name: "//program/detector.wasm",
          arguments: ["--quick", ""],
          environment: { LANG: "C", EMPTY: "" },
        },
      ],
      limits: {
        wall_time_ms: 60_000,
        storage_mib: 64,
        memory_mib: 512,
        runs: 1,
        output_bytes: 1_000_000,
      },
      required_inputs: ["/s3_app_input//in.h264"],
      read_limits: [{ path: "/output/", identities: [1], times: 1 }, { path: "stdout" }],
      consent: [0, 1],
      shutdown: [],
      keep_partial_output: true,
    }),
    {
      programs: new Map([
        [
          "/program/detector.wasm",
          { arguments: ["--quick", ""], environment: { LANG: "C", EMPTY: "" } },
        ],
      ]),
      limits: {
        wallTimeMs: 60_000,
        storageMib: 64,
        memoryMib: 512,
        runs: 1,
        outputBytes: 1_000_000,
      },
      requiredInputs: ["/s3_app_input/in.h264"],
      inputs: [],
      readLimits: [{ path: "/output", identities: [1], times: 1 }, { path: "stdout" }],
      consent: [0, 1],
      shutdown: [],
      keepPartialOutput: true,
    },
  );
});

test("a term that can't be kept is refused", async (t) => {
  await t.test("unknown term", () => refused({ retries: 3 }, "MEMBER_UNKNOWN /holdfast/retries"));
  await t.test("null", () => refused(null, "TYPE_OBJECT /holdfast"));
  await t.test("list", () => refused([], "TYPE_OBJECT /holdfast"));
  await t.test("limit of nothing", () =>
    refused({ limits: { runs: 0 } }, "NUMBER_RANGE /holdfast/limits/runs"),
  );
  await t.test("memory of nothing", () =>
    refused({ limits: { memory_mib: 0 } }, "NUMBER_RANGE /holdfast/limits/memory_mib"),
  );
  await t.test("unknown limit", () =>
    refused({ limits: { fuel: 1 } }, "MEMBER_UNKNOWN /holdfast/limits/fuel"),
  );
  await t.test("identity nobody knows", () =>
    refused(
      { consent: [7], shutdown: [0, 0], read_limits: [{ path: "/a", identities: [9] }] },
      "IDENTITY_UNKNOWN /holdfast/read_limits/0/identities/0",
      "IDENTITY_UNKNOWN /holdfast/consent/0",
      "ID_DUPLICATE /holdfast/shutdown/1",
    ),
  );
  await t.test("program nobody knows", () =>
    refused(
      { programs: [{ program_file_name: "/other.wasm" }] },
      "PROGRAM_UNKNOWN /holdfast/programs/0/program_file_name",
    ),
  );
  await t.test("program twice", () =>
    refused(
      {
        programs: [
          { program_file_name: "/program/detector.wasm" },
          { program_file_name: "/program//detector.wasm" },
        ],
      },
      "PROGRAM_DUPLICATE /holdfast/programs/1/program_file_name",
    ),
  );
  await t.test("limits of one path twice", () =>
    refused(
      { read_limits: [{ path: "/a/" }, { path: "/a" }] },
      "PATH_DUPLICATE /holdfast/read_limits/1/path",
    ),
  );
  await t.test("a directory as required input", () =>
    refused(
      { required_inputs: ["/a/", "stdin"] },
      "PATH_NOT_A_FILE /holdfast/required_inputs/0",
      "PATH_NOT_A_FILE /holdfast/required_inputs/1",
    ),
  );
  await t.test("texts that a program would see cut", () =>
    refused(
      {
        programs: [
          {
            program_file_name: "/program/detector.wasm",
            arguments: ["a\0b"],
            environment: { "A=B": "", C: "\0", "": "x" },
          },
        ],
      },
      "ENVIRONMENT_NAME /holdfast/programs/0/environment/A=B",
      "STRING_NUL /holdfast/programs/0/environment/C",
      "ENVIRONMENT_NAME /holdfast/programs/0/environment/",
      "STRING_NUL /holdfast/programs/0/arguments/0",
    ),
  );
  await t.test("an environment without end", () => {
    const environment = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`V${i}`, ""]));
    refused(
      { programs: [{ program_file_name: "/program/detector.wasm", environment }] },
      "OBJECT_TOO_LARGE /holdfast/programs/0/environment",
    );
  });
});

test("a function's terms are judged when registered, save whom they name", () => {
  const holdfast = { shutdown: [41], limits: { runs: 0 } };
  assert.deepEqual(
    faultsOf(() => parseFunctionPolicy({ ...functionPolicy(), holdfast })),
    ["NUMBER_RANGE /holdfast/limits/runs"],
  );
  assert.deepEqual(
    faultsOf(() => parseVaasPolicy({ ...vaasPolicy(), holdfast: { shutdown: [41] } })),
    ["IDENTITY_UNKNOWN /holdfast/shutdown/0"],
  );
});
