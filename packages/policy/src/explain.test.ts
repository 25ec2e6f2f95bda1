// The seed's policy explained: data and words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explainPolicy, explanationLines, parsePolicy } from "./index.ts";
import { certificate, HASHES, PEM, policyText, READ } from "./testing/seed-policies.ts";

test("the seed's policy in words", () => {
  assert.deepEqual(explanationLines(explainPolicy(parsePolicy(policyText()))), [
    "identity 0 (bridge)",
    "  at and below /s3_app_input: may append to files, replace files and create files",
    "identity 1 (user)",
    "  at and below /output: may read files and list",
    "  at and below /program: may run programs",
    "  at and below /user_input: may append to files, replace files and create files",
    "  stderr: may read",
    "  stdout: may read",
    "identity 2 (loader)",
    "  at and below /program: may append to files, replace files and create files",
    "  at and below /program_data: may append to files, replace files and create files",
    "program /program/detector.wasm",
    "  at and below /output: may read files, list, append to files, replace files and create files",
    "  at and below /program_data: may read files and list",
    "  at and below /program_internal: may read files, list, append to files, replace files and create files",
    "  at and below /s3_app_input: may read files and list",
    "  at and below /user_input: may read files and list",
    "  stderr: may write",
    "  stdout: may write",
    "/program/detector.wasm is run by identity 1 (user)",
    "  reads /output, supplied by program /program/detector.wasm",
    "  reads /program_data, supplied by identity 2 (loader)",
    "  reads /program_data/coco.names, supplied by identity 2 (loader)",
    "  reads /program_data/yolov3.cfg, supplied by identity 2 (loader)",
    "  reads /program_data/yolov3.weights, supplied by identity 2 (loader)",
    "  reads /program_internal, supplied by program /program/detector.wasm",
    "  reads /s3_app_input, supplied by identity 0 (bridge)",
    "  reads /user_input, supplied by identity 1 (user)",
    "  writes /output, read by identity 1 (user) and program /program/detector.wasm",
    "  writes /program_internal, read by program /program/detector.wasm",
    "  writes stderr, read by identity 1 (user)",
    "  writes stdout, read by identity 1 (user)",
    `runs only on nitro measured ${HASHES.nitro}`,
    "serves at 192.0.2.7:3014 over TLS1_3_CHACHA20_POLY1305_SHA256, attested through veracruz-nitro-proxy:3010",
    "holds until 2023-04-11T16:46:00.000Z",
    "programs get up to 2000 MiB of memory and a clock",
    "debug is asked for",
    "any identity may shut the keep down",
  ]);
});

test("a path lists everybody who may do something there, and its pin", () => {
  const { paths } = explainPolicy(parsePolicy(policyText()));
  assert.deepEqual(
    paths.find(({ path }) => path === "/program/detector.wasm"),
    {
      path: "/program/detector.wasm",
      pinned: HASHES.detector,
      access: [
        { name: "identity 1 (user)", verbs: ["execute"] },
        { name: "identity 2 (loader)", verbs: ["append", "replace", "create"] },
      ],
    },
  );
  assert.equal(paths.find(({ path }) => path === "/output")?.pinned, undefined);
});

test("nested entries are named where they take over", () => {
  const file_rights = [
    { file_name: "/output/", rights: READ },
    { file_name: "/output/raw/", rights: 0 },
    { file_name: "/outputs", rights: 2 ** 6 },
  ];
  const policy = parsePolicy(
    policyText({ identities: [{ certificate: PEM.user, id: 3, file_rights }] }),
  );
  assert.deepEqual(
    explainPolicy(policy).principals[0]?.grants.map(({ sentence }) => sentence),
    [
      "at and below /output, save /output/raw: may read files and list",
      "at and below /output/raw: may do nothing",
      "at and below /outputs: may do nothing: fd_write alone allows nothing",
    ],
  );
});

test("terms are explained, with identities by name", () => {
  const policy = parsePolicy(
    policyText({
      colour: "blue",
      holdfast: {
        programs: [
          {
            program_file_name: "/program/detector.wasm",
            arguments: ["-q"],
            environment: { LANG: "C" },
          },
        ],
        limits: { wall_time_ms: 5, storage_mib: 6, memory_mib: 9, runs: 1, output_bytes: 7 },
        required_inputs: ["/in"],
        read_limits: [{ path: "/output", identities: [1], times: 1 }, { path: "stdout" }],
        consent: [0, 1],
        shutdown: [2],
        keep_partial_output: true,
      },
    }),
  );
  assert.deepEqual(explainPolicy(policy).settings.slice(5), [
    "not read: colour",
    '/program/detector.wasm gets the arguments ["-q"]',
    '/program/detector.wasm sees LANG="C"',
    "a run ends after 5 ms",
    "files take up to 6 MiB",
    "files and all runs at once take up to 9 MiB",
    "1 run is allowed",
    "a run writes up to 7 bytes",
    "no run starts before /in is there",
    "/output may be read out by identity 1 (user), 1 time in all",
    "stdout may be read out by whoever has the right",
    "data is taken only once identity 0 (bridge) and identity 1 (user) signed the policy hash",
    "identity 2 (loader) may shut the keep down",
    "output of runs that fail is kept",
  ]);
});

test("a certificate's name can't move the reader's cursor", async () => {
  const odd = await certificate("nice\u001b[2K\u202eevil");
  const policy = parsePolicy(
    policyText({ identities: [{ certificate: odd, id: 0, file_rights: [] }] }),
  );
  assert.equal(explainPolicy(policy).principals[0]?.name, "identity 0 (nice?[2K?evil)");
});
