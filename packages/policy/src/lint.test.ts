// Each warning, by the policy that earns it.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { basicConstraints, keyUsage } from "@holdfast/core";
import { lintPolicy, parsePolicy } from "./index.ts";
import {
  certificate,
  EXECUTE,
  functionPolicy,
  HASHES,
  LOAD,
  PEM,
  policyText,
  READ,
  READ_WRITE,
  vaasPolicy,
  WRITE,
} from "./testing/seed-policies.ts";

const AT = new Date("2023-02-01T00:00:00Z");
const QUIET = { debug: false, enable_clock: false, holdfast: { shutdown: [1] } };

function warnings(change: Record<string, unknown>, at = AT): string[] {
  const policy = parsePolicy(policyText({ ...QUIET, ...change }));
  return lintPolicy(policy, { at }).map(({ code, pointer }) => `${code} ${pointer}`);
}

const entry = (file_name: string, rights: number) => ({ file_name, rights });
const [bridge, user, loader] = vaasPolicy().identities;
const [detector] = vaasPolicy().programs;

test("the seed's policy earns three warnings, made quiet none", () => {
  assert.deepEqual(warnings({ debug: true, enable_clock: true, holdfast: undefined }), [
    "DEBUG_ENABLED /debug",
    "CLOCK_ENABLED /enable_clock",
    "SHUTDOWN_ANYONE /holdfast/shutdown",
  ]);
  assert.deepEqual(warnings({}), []);
});

test("each warning is earned by its fault alone", async (t) => {
  const earns = (name: string, change: Record<string, unknown>, ...expected: string[]) =>
    t.test(name, () => assert.deepEqual(warnings(change), expected));

  await earns(
    "no measurement",
    { runtime_manager_hash_nitro: "" },
    "MEASUREMENT_MISSING /runtime_manager_hash_nitro",
  );
  const memory = (memory_mib: number) => ({
    max_memory_mib: 100,
    holdfast: { shutdown: [1], limits: { memory_mib, storage_mib: 20 } },
  });
  await earns(
    "memory that no run fits in",
    memory(140),
    "MEMORY_TOO_SMALL /holdfast/limits/memory_mib",
  );
  await earns("memory that one fits in", memory(141));
  const output = (file_name: string) => ({
    programs: [
      { ...detector, file_rights: [...(detector?.file_rights ?? []), entry(file_name, WRITE)] },
    ],
    identities: [
      bridge,
      { ...user, file_rights: [...(user?.file_rights ?? []), entry("/more/", READ)] },
      loader,
    ],
  });
  await earns(
    "a directory without a slash",
    output("/more/results"),
    `DIRECTORY_WITHOUT_SLASH /programs/0/file_rights/${detector?.file_rights.length}`,
  );
  await earns("a directory with one", output("/more/results/"));
  await earns("a file", output("/more/results.json"));
  await earns(
    "short tags",
    { ciphersuite: "TLS1_3_AES_128_CCM_8_SHA256" },
    "CIPHERSUITE_SHORT_TAG /ciphersuite",
  );
  await earns(
    "a member nobody reads",
    { std_streams_table: [] },
    "MEMBER_IGNORED /std_streams_table",
  );
  await earns(
    "nobody to shut down",
    { holdfast: { shutdown: [] } },
    "SHUTDOWN_NOBODY /holdfast/shutdown",
  );
  await earns(
    "unpinned program that its loader may exchange",
    { file_hashes: vaasPolicy().file_hashes.slice(1) },
    "PROGRAM_UNPINNED /programs/0/program_file_name",
    "PROGRAM_WRITABLE /programs/0/program_file_name",
  );
  await earns(
    "program that writes over itself",
    {
      programs: [
        {
          ...detector,
          file_rights: [...(detector?.file_rights ?? []), entry("/program/", READ_WRITE)],
        },
      ],
    },
    "PROGRAM_WRITABLE /programs/0/program_file_name",
  );
  await earns(
    "program that nobody may run",
    { identities: [bridge, { ...user, file_rights: user?.file_rights.slice(0, 4) }, loader] },
    "PROGRAM_NOT_RUNNABLE /programs/0/program_file_name",
  );
  await earns(
    "files that nobody may put in",
    { identities: [bridge, user] },
    "PROGRAM_NOT_LOADABLE /programs/0/program_file_name",
    "PIN_NOT_LOADABLE /file_hashes/1/file_path",
    "PIN_NOT_LOADABLE /file_hashes/2/file_path",
    "PIN_NOT_LOADABLE /file_hashes/3/file_path",
    "INPUT_UNSUPPLIED /programs/0/file_rights/0",
  );
  await earns(
    "results that nobody may read",
    {
      identities: [
        bridge,
        { ...user, file_rights: [entry("/user_input/", WRITE), entry("/program/", EXECUTE)] },
        loader,
      ],
      programs: [
        {
          ...detector,
          file_rights: [
            entry("/user_input/", READ),
            entry("/output/", WRITE),
            entry("stdout", WRITE),
          ],
        },
      ],
    },
    "OUTPUT_UNREADABLE /programs/0/file_rights/1",
    "OUTPUT_UNREADABLE /programs/0/file_rights/2",
  );
  await earns(
    "an identity that may write everywhere",
    { identities: [bridge, user, { ...loader, file_rights: [entry("/", LOAD)] }] },
    "RIGHTS_EVERYWHERE /identities/2/file_rights/0",
  );
  await earns(
    "rights that allow nothing",
    {
      identities: [
        bridge,
        user,
        { ...loader, file_rights: [...(loader?.file_rights ?? []), entry("/x", 64)] },
      ],
    },
    "RIGHTS_WITHOUT_EFFECT /identities/2/file_rights/2",
  );
  await earns(
    "an identity that may do nothing",
    { identities: [bridge, user, loader, { certificate: PEM.authority, id: 3, file_rights: [] }] },
    "IDENTITY_IS_AUTHORITY /identities/3/certificate",
    "IDENTITY_IDLE /identities/3/file_rights",
  );
});

test("a policy for nobody", () => {
  const expected = ["IDENTITIES_NONE /identities"];
  assert.deepEqual(
    warnings({ identities: [], programs: [], file_hashes: [], holdfast: undefined }),
    expected,
  );
});

test("two certificates of one key are warned of", async () => {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [first, second] = [await certificate("a", {}, keys), await certificate("b", {}, keys)];
  const identities = [{ ...bridge, certificate: first }, { ...user, certificate: second }, loader];
  assert.deepEqual(warnings({ identities }), ["IDENTITY_KEY_SHARED /identities/1/certificate"]);
});

test("a certificate authority as an identity is warned of", async () => {
  const authority = await certificate("authority", {
    extensions: [basicConstraints(true), keyUsage("keyCertSign")],
  });
  const identities = [{ ...bridge, certificate: authority }, user, loader];
  assert.deepEqual(warnings({ identities }), ["IDENTITY_IS_AUTHORITY /identities/0/certificate"]);
});

test("dates are judged at the time given", () => {
  const at = (time: string) => warnings({}, new Date(time)).map((line) => line.split(" ")[0]);
  assert.deepEqual(new Set(at("2022-12-31T23:59:59Z")), new Set(["CERTIFICATE_NOT_YET_VALID"]));
  assert.deepEqual(at("2023-03-12T16:45:59Z"), []);
  assert.deepEqual(at("2023-03-12T16:46:00Z"), ["POLICY_EXPIRING"]);
  assert.deepEqual(at("2023-04-11T16:46:01Z"), ["POLICY_EXPIRED"]);
  const certificates = ["CERTIFICATE_EXPIRING", "CERTIFICATE_EXPIRING", "CERTIFICATE_EXPIRING"];
  assert.deepEqual(at("2023-12-31T00:00:00Z"), [
    "POLICY_EXPIRED",
    ...certificates,
    "CERTIFICATE_EXPIRING",
  ]);
  assert.deepEqual(
    at("2024-01-01T00:00:01Z").slice(1),
    certificates.map(() => "CERTIFICATE_EXPIRED").concat("CERTIFICATE_EXPIRED"),
  );
});

test("warnings are sentences that name who and what", () => {
  const policy = parsePolicy(policyText({ file_hashes: [] }));
  const writable = lintPolicy(policy, { at: AT }).find(({ code }) => code === "PROGRAM_WRITABLE");
  assert.equal(
    writable?.message,
    "/program/detector.wasm can be exchanged by identity 2 (loader): pin its hash",
  );
  assert.equal(functionPolicy().programs[0]?.pi_hash, HASHES.detector);
});
