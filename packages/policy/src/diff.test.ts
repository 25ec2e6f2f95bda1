// What a change of policy lets whom do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { diffPolicies, parsePolicy } from "./index.ts";
import {
  certificate,
  HASHES,
  policyText,
  READ,
  READ_WRITE,
  vaasPolicy,
} from "./testing/seed-policies.ts";

function changes(change: Record<string, unknown>, from: Record<string, unknown> = {}): string[] {
  const difference = diffPolicies(parsePolicy(policyText(from)), parsePolicy(policyText(change)));
  return difference.changes.map(({ effect, sentence }) => `${effect}: ${sentence}`);
}

const entry = (file_name: string, rights: number) => ({ file_name, rights });
const [bridge, user, loader] = vaasPolicy().identities;
const [detector] = vaasPolicy().programs;

test("a policy does not differ from itself", () => {
  const policy = parsePolicy(policyText());
  assert.deepEqual(diffPolicies(policy, policy), { sameText: true, changes: [] });
});

test("other spacing changes the text alone", () => {
  const before = parsePolicy(policyText());
  const after = parsePolicy(JSON.stringify(JSON.parse(policyText())));
  assert.deepEqual(diffPolicies(before, after), { sameText: false, changes: [] });
});

test("numbers and order name nobody", () => {
  const identities = [
    { ...user, id: 0 },
    { ...loader, id: 1 },
    { ...bridge, id: 2 },
  ];
  assert.deepEqual(changes({ identities }), [
    "changes: identity 0 (bridge) is now identity 2 (bridge)",
    "changes: identity 1 (user) is now identity 0 (user)",
    "changes: identity 2 (loader) is now identity 1 (loader)",
  ]);
});

test("rights gained and lost are told by verb and path", () => {
  const file_rights = [
    ...(user?.file_rights.filter(({ file_name }) => file_name !== "stderr") ?? []),
    entry("/output/raw", READ_WRITE),
  ];
  assert.deepEqual(changes({ identities: [bridge, { ...user, file_rights }, loader] }), [
    "allows: identity 1 (user) may now append to files, replace files and create files at and below /output/raw",
    "forbids: identity 1 (user) may no longer read stderr",
  ]);
});

test("what holds above is said once", () => {
  const file_rights = [entry("/", READ)];
  const changed = changes({ identities: [{ ...bridge, file_rights }, user, loader] });
  assert.deepEqual(changed, [
    "allows: identity 0 (bridge) may now read files and list at and below /",
    "allows: identity 0 (bridge) may now read files and list at and below /s3_app_input",
    "forbids: identity 0 (bridge) may no longer append to files, replace files and create files at and below /s3_app_input",
  ]);
});

test("a new certificate is a new identity, and the old one is gone", async () => {
  const other = await certificate("user");
  const lines = changes({ identities: [bridge, { ...user, certificate: other }, loader] });
  assert.equal(lines[0], "forbids: identity 1 (user) is gone");
  assert.ok(lines.includes("forbids: identity 1 (user) may no longer read stdout"));
  assert.ok(lines.includes("allows: identity 1 (user) is new"));
  assert.ok(lines.includes("allows: identity 1 (user) may now run programs at and below /program"));
});

test("programs are told by path", () => {
  const lines = changes({ programs: [{ ...detector, program_file_name: "/program/other.wasm" }] });
  assert.ok(lines.includes("forbids: program /program/detector.wasm is gone"));
  assert.ok(lines.includes("allows: program /program/other.wasm is new"));
});

test("pins, platform and settings are compared", () => {
  const later = { runtime_manager_hash_sgx: undefined, runtime_manager_hash_tz: undefined };
  assert.deepEqual(
    changes({
      ...later,
      debug: false,
      enable_clock: false,
      max_memory_mib: 4000,
      enclave_cert_expiry: { day: 1, hour: 0, minute: 0, month: 1, year: 2024 },
      ciphersuite: "TLS1_3_AES_256_GCM_SHA384",
      execution_strategy: "Interpretation",
      veracruz_server_url: "[2001:db8::1]:3015",
      proxy_attestation_server_url: "http://other:3010",
      proxy_service_cert: user?.certificate,
      runtime_manager_hash_nitro: HASHES.cfg,
      runtime_manager_hash_sevsnp: HASHES.cfg,
      file_hashes: [
        { file_path: "/program/detector.wasm", hash: HASHES.cfg },
        ...vaasPolicy().file_hashes.slice(2),
        { file_path: "/program_data/new", hash: HASHES.names },
      ],
    }),
    [
      `changes: /program/detector.wasm must have hash ${HASHES.cfg}, was ${HASHES.detector}`,
      "allows: /program_data/coco.names is no longer pinned: any content is taken",
      `forbids: /program_data/new must now have hash ${HASHES.names}`,
      `changes: nitro measurement is ${HASHES.cfg}, was ${HASHES.nitro}`,
      `allows: keeps on sevsnp measured ${HASHES.cfg} pass`,
      "forbids: debug is false, was true",
      "forbids: clock is false, was true",
      "allows: memory in MiB is 4000, was 2000",
      "allows: end of the policy is 2024-01-01T00:00:00.000Z, was 2023-04-11T16:46:00.000Z",
      "changes: ciphersuite is TLS1_3_AES_256_GCM_SHA384, was TLS1_3_CHACHA20_POLY1305_SHA256",
      "changes: execution strategy is Interpretation, was JIT",
      "changes: address is 2001:db8::1:3015, was 192.0.2.7:3014",
      "changes: attestation service is http://other:3010, was veracruz-nitro-proxy:3010",
      "changes: dialect is 2022-10, was i-poc",
      "changes: keeps are vouched for by another authority",
    ],
  );
  assert.deepEqual(changes({ runtime_manager_hash_nitro: null }), [
    "forbids: no keep on nitro passes any more",
  ]);
});

test("terms that come and go are told", () => {
  assert.deepEqual(changes({ holdfast: { shutdown: [1], limits: { runs: 2 } } }), [
    "changes: new: 2 runs are allowed",
    "changes: new: identity 1 (user) may shut the keep down",
    "changes: gone: any identity may shut the keep down",
  ]);
});
