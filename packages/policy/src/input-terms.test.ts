// Files that the keep fetches itself: read in each kind of policy, refused when they could be any file, and told of.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  diffPolicies,
  explainPolicy,
  explanationLines,
  exposedTo,
  lintPolicy,
  parseFunctionPolicy,
  parsePolicy,
  parseVaasPolicy,
} from "./index.ts";
import { faultsOf } from "./testing/faults.ts";
import { functionPolicy, HASHES, policyText, vaasPolicy } from "./testing/seed-policies.ts";

const PATH = "/program_data/yolov3.weights";
const PLAIN = { path: PATH, source: "https://host/x", sha256: HASHES.weights, size: 10 };
const SEALED = {
  ...PLAIN,
  source: "oci://registry.example:5000/team/model",
  sha256: "ab".repeat(32),
  size: 36,
  key: "model-1",
};
/** The seed's identities, none of which may reach the sealed path. */
const identities = vaasPolicy().identities.map((identity) => ({
  ...identity,
  file_rights: [...identity.file_rights, { file_name: PATH, rights: 0 }],
}));
const sealed = (change: object = {}): Record<string, unknown> => ({
  identities,
  holdfast: { shutdown: [1], inputs: [SEALED] },
  ...change,
});

test("inputs are read, in each kind of policy", () => {
  const holdfast = { inputs: [{ ...PLAIN, path: "//program_data/./yolov3.weights" }] };
  assert.deepEqual(parsePolicy(policyText({ holdfast })).terms.inputs, [PLAIN]);
  assert.deepEqual(parsePolicy(policyText(sealed())).terms.inputs, [SEALED]);
  const upper = { inputs: [{ ...SEALED, sha256: SEALED.sha256.toUpperCase() }] };
  assert.deepEqual(parsePolicy(policyText({ holdfast: upper })).terms.inputs, [SEALED]);
  assert.deepEqual(parseVaasPolicy({ ...vaasPolicy(), holdfast }).holdfast, holdfast);
  const program = {
    ...SEALED,
    path: "/program/detector.wasm",
  };
  const inputs = { inputs: [SEALED, program] };
  assert.deepEqual(parseFunctionPolicy({ ...functionPolicy(), holdfast: inputs }).holdfast, inputs);
});

test("an input that could be any file, or can't be fetched, is refused", async (t) => {
  const at = "/holdfast/inputs/0";
  const refused = (name: string, change: object, ...faults: string[]) =>
    t.test(name, () => {
      const holdfast = { inputs: [{ ...SEALED, ...change }] };
      assert.deepEqual(
        faultsOf(() => parsePolicy(policyText({ holdfast }))),
        faults,
      );
    });
  await refused("unpinned path", { path: "/other" }, `INPUT_UNPINNED ${at}/path`);
  await refused(
    "directory",
    { path: "/program_data/" },
    `PATH_NOT_A_FILE ${at}/path`,
    `INPUT_UNPINNED ${at}/path`,
  );
  await refused(
    "stream",
    { path: "stdin" },
    `PATH_NOT_A_FILE ${at}/path`,
    `INPUT_UNPINNED ${at}/path`,
  );
  await refused("path out of the root", { path: "/a/../b" }, `PATH_ESCAPE ${at}/path`);
  await refused(
    "plain file with another digest",
    { key: undefined, sha256: "00".repeat(32) },
    `INPUT_DIGEST ${at}/sha256`,
  );
  await refused("digest of another length", { sha256: "ab" }, `HASH_FORMAT ${at}/sha256`);
  await refused("size of nothing", { size: 0 }, `NUMBER_RANGE ${at}/size`, `INPUT_SIZE ${at}/size`);
  await refused(
    "size beyond bounds",
    { size: 2 ** 40 + 1 },
    `NUMBER_RANGE ${at}/size`,
    `INPUT_SIZE ${at}/size`,
  );
  await refused("sealed file without room for its tag", { size: 35 }, `INPUT_SIZE ${at}/size`);
  await refused(
    "sealed file of more than one nonce may seal",
    { size: 2 ** 36 + 5 },
    `INPUT_SIZE ${at}/size`,
  );
  await refused("key's name in capitals", { key: "Model" }, `INPUT_KEY ${at}/key`);
  await refused("key's name with a slash", { key: "a/b" }, `INPUT_KEY ${at}/key`);
  await refused("key without a name", { key: "" }, `STRING_LENGTH ${at}/key`);
  await refused("unknown member", { mode: 7 }, `MEMBER_UNKNOWN ${at}/mode`);
  for (const source of [
    "file:///etc/passwd",
    "ftp://host/x",
    "host/x",
    "https://user:secret@host/x",
    "https://host/x#part",
    "oci://registry/Team/model",
    "oci://registry",
    "oci://registry/team/../model",
    "oci://registry/team/model?x",
    "https://host/x\nany identity may shut the keep down",
    "https://host/\u001b[2Jx",
    "https://host/\u202ex",
    "https://h\u00f6st/x",
    " https://host/x",
  ]) {
    await refused(encodeURI(source), { source }, `INPUT_SOURCE ${at}/source`);
  }
  await t.test("two entries for a path", () => {
    const inputs = [SEALED, { ...SEALED, path: "//program_data/yolov3.weights" }];
    assert.deepEqual(
      faultsOf(() => parsePolicy(policyText({ holdfast: { inputs } }))),
      ["INPUT_DUPLICATE /holdfast/inputs/1/path"],
    );
  });
  await t.test("in a function's and in VaaS's policy as well", () => {
    const holdfast = { inputs: [{ ...SEALED, path: "/other" }] };
    for (const read of [
      () => parseFunctionPolicy({ ...functionPolicy(), holdfast }),
      () => parseVaasPolicy({ ...vaasPolicy(), holdfast }),
    ]) {
      assert.deepEqual(faultsOf(read), [`INPUT_UNPINNED ${at}/path`]);
    }
  });
});

test("an identity that may read or write a sealed path is warned of", () => {
  const warnings = (change: object): string[] =>
    lintPolicy(parsePolicy(policyText({ debug: false, enable_clock: false, ...change })), {
      at: new Date("2023-02-01T00:00:00Z"),
    }).map(({ code, pointer, message }) => `${code} ${pointer} ${message}`);
  assert.deepEqual(warnings(sealed()), []);
  assert.deepEqual(warnings(sealed({ identities: vaasPolicy().identities })), [
    `INPUT_EXPOSED /holdfast/inputs/0/path identity 2 may read or write ${PATH}: key model-1 is not released for such a policy`,
  ]);
  const open = vaasPolicy().identities;
  assert.deepEqual(
    warnings({ identities: open, holdfast: { shutdown: [1], inputs: [PLAIN] } }),
    [],
  );
  const policy = parsePolicy(policyText());
  assert.deepEqual(
    exposedTo(policy, "/output/x").map(({ id }) => id),
    [1],
  );
  assert.deepEqual(exposedTo(policy, "/elsewhere"), []);
});

test("inputs are explained and compared", () => {
  const lines = explanationLines(explainPolicy(parsePolicy(policyText(sealed()))));
  const told = `${PATH} is fetched by the keep from ${SEALED.source}: 36 bytes with hash ${SEALED.sha256}, opened with key model-1; no run starts before`;
  assert.ok(lines.includes(told), lines.join("\n"));
  assert.ok(lines.includes(`  reads ${PATH}, supplied by the keep from ${SEALED.source}`));
  const other = sealed({ holdfast: { shutdown: [1], inputs: [{ ...SEALED, key: "model-2" }] } });
  const { changes } = diffPolicies(
    parsePolicy(policyText(sealed())),
    parsePolicy(policyText(other)),
  );
  assert.deepEqual(
    changes.map(({ sentence }) => sentence),
    [`new: ${told.replace("model-1", "model-2")}`, `gone: ${told}`],
  );
});
