// The four policies of the seed: accepted as they stand, each fault by code and place, all at once.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import {
  parseFunctionPolicy,
  parsePolicy,
  parseUserPolicy,
  parseVaasPolicy,
  policyHash,
  priorityOf,
} from "./index.ts";
import { faultsOf } from "./testing/faults.ts";
import {
  certificate,
  fullPolicy,
  functionPolicy,
  HASHES,
  PEM,
  policyText,
  READ,
  userPolicy,
  vaasPolicy,
} from "./testing/seed-policies.ts";

test("the seed's policies are accepted, and read as they are written", () => {
  assert.deepEqual(parseUserPolicy(userPolicy()), userPolicy());
  assert.deepEqual(parseFunctionPolicy(functionPolicy()), functionPolicy());
  assert.deepEqual(parseVaasPolicy(vaasPolicy()), vaasPolicy());
});

test("the seed's full policy is read in its meaning", () => {
  const text = policyText();
  const policy = parsePolicy(text);
  assert.equal(policy.text, text);
  assert.equal(policy.dialect, "i-poc");
  assert.deepEqual(
    policy.identities.map(({ id, certificatePem, rights }) => [id, certificatePem, rights.size]),
    [
      [0, PEM.bridge, 1],
      [1, PEM.user, 5],
      [2, PEM.loader, 2],
    ],
  );
  assert.equal(policy.identities[1]?.rights.get("/output"), READ);
  assert.deepEqual(
    policy.programs.map(({ id, path }) => [id, path]),
    [[0, "/program/detector.wasm"]],
  );
  assert.equal(policy.fileHashes.get("/program_data/coco.names"), HASHES.names);
  assert.deepEqual(policy.serverUrl, { host: "192.0.2.7", port: 3014 });
  assert.equal(policy.certificateExpiry.toISOString(), "2023-04-11T16:46:00.000Z");
  assert.deepEqual(policy.measurements, { nitro: HASHES.nitro });
  assert.deepEqual(policy.attestation, {
    url: "veracruz-nitro-proxy:3010",
    certificatePem: PEM.authority,
  });
  assert.deepEqual(policy.unknownMembers, []);
});

test("the hash is over the exact text", async () => {
  const text = policyText();
  const sha256 = (value: string) => createHash("sha256").update(value).digest("hex");
  assert.equal(await policyHash(text), sha256(text));
  const respelled = JSON.stringify(JSON.parse(text));
  assert.equal(await policyHash(respelled), sha256(respelled));
  assert.notEqual(await policyHash(respelled), await policyHash(text));
});

test("the three dialects are told apart", () => {
  const dialect = (change: Record<string, unknown>) => parsePolicy(policyText(change)).dialect;
  const later = { runtime_manager_hash_sgx: undefined, runtime_manager_hash_tz: undefined };
  assert.equal(dialect({}), "i-poc");
  assert.equal(dialect(later), "2022-10");
  assert.equal(dialect({ ...later, pipelines: [] }), "2022-10");
  assert.equal(dialect({ ...later, pipelines: [], native_modules: [] }), "2023");
  assert.equal(dialect({ native_modules: [], runtime_manager_hash_sevsnp: HASHES.nitro }), "2023");
});

test("what Veracruz would ignore is ignored and named", () => {
  const policy = parsePolicy(policyText({ colour: "blue", std_streams_table: [] }));
  assert.deepEqual(policy.unknownMembers, ["colour", "std_streams_table"]);
});

test("priorities default to 99", () => {
  const changed = functionPolicy().data_files.map((file, index) =>
    index === 0 ? { ...file, priority: -3 } : file,
  );
  const policy = parseFunctionPolicy({ ...functionPolicy(), data_files: changed });
  assert.deepEqual(policy.data_files.map(priorityOf), [-3, 99, 99]);
});

test("a function needs no data files", () => {
  const { data_files: _, ...rest } = functionPolicy();
  assert.deepEqual(parseFunctionPolicy(rest).data_files, []);
});

test("a whole number may be written with a fraction of zero", () => {
  const text = policyText().replace('"max_memory_mib": 2000', '"max_memory_mib": 2000.0');
  assert.equal(parsePolicy(text).maxMemoryMib, 2000);
});

test("all faults of a full policy come at once, each with its place", () => {
  const { identities, programs } = vaasPolicy();
  const text = policyText({
    ciphersuite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    debug: "yes",
    execution_strategy: "Guess",
    max_memory_mib: 0,
    identities: [
      { ...identities[0], id: 1 },
      { ...identities[1], extra: true },
      { ...identities[2], certificate: PEM.user },
    ],
    programs: [
      ...programs,
      { file_rights: [{ file_name: "/a/../b", rights: 2 ** 30 }], id: 0 },
      { ...programs[0], id: 2, program_file_name: "//program/./detector.wasm" },
    ],
    file_hashes: [
      { file_path: "stdout", hash: HASHES.cfg },
      { file_path: "/x", hash: "abc" },
    ],
    enclave_cert_expiry: { day: 30, hour: 24, minute: 0, month: 2, year: 2027 },
    proxy_service_cert: "none",
    runtime_manager_hash_nitro: "00",
    veracruz_server_url: "host:0",
    enable_clock: undefined,
  });
  assert.deepEqual(faultsOf(() => parsePolicy(text)).sort(), [
    "ADDRESS_FORMAT /veracruz_server_url",
    "CERTIFICATE_DUPLICATE /identities/2/certificate",
    "CERTIFICATE_UNREADABLE /proxy_service_cert",
    "CIPHERSUITE_UNKNOWN /ciphersuite",
    "EXPIRY_DATE /enclave_cert_expiry",
    "HASH_FORMAT /file_hashes/1/hash",
    "HASH_FORMAT /runtime_manager_hash_nitro",
    "ID_DUPLICATE /identities/1/id",
    "ID_DUPLICATE /programs/1/id",
    "MEMBER_MISSING /enable_clock",
    "MEMBER_MISSING /programs/1/program_file_name",
    "MEMBER_UNKNOWN /identities/1/extra",
    "NUMBER_RANGE /enclave_cert_expiry/hour",
    "NUMBER_RANGE /max_memory_mib",
    "PATH_ESCAPE /programs/1/file_rights/0/file_name",
    "PATH_NOT_A_FILE /file_hashes/0/file_path",
    "PROGRAM_DUPLICATE /programs/2/program_file_name",
    "RIGHTS_UNKNOWN /programs/1/file_rights/0/rights",
    "STRATEGY_UNKNOWN /execution_strategy",
    "TYPE_BOOLEAN /debug",
  ]);
});

test("every member a full policy must have is missed by name", () => {
  for (const name of Object.keys(fullPolicy())) {
    const optional = name.startsWith("runtime_manager_hash_") || name === "file_hashes";
    if (optional) {
      parsePolicy(policyText({ [name]: undefined }));
      continue;
    }
    const faults = faultsOf(() => parsePolicy(policyText({ [name]: undefined })));
    assert.deepEqual(faults, [`MEMBER_MISSING /${name}`]);
  }
});

test("every member that must be there is missed in the other policies too", () => {
  const cases: [(value: unknown) => unknown, () => object, string[]][] = [
    [parseUserPolicy, userPolicy, []],
    [parseFunctionPolicy, functionPolicy, ["data_files"]],
    [parseVaasPolicy, vaasPolicy, ["instance_id", "file_hashes", "enclave_cert_expiry"]],
  ];
  for (const [parse, sample, optional] of cases) {
    for (const name of Object.keys(sample())) {
      const less = Object.fromEntries(Object.entries(sample()).filter(([key]) => key !== name));
      if (optional.includes(name)) parse(less);
      else {
        assert.deepEqual(
          faultsOf(() => parse(less)),
          [`MEMBER_MISSING /${name}`],
        );
      }
    }
    assert.deepEqual(
      faultsOf(() => parse({ ...sample(), other: 1 })),
      ["MEMBER_UNKNOWN /other"],
    );
    assert.equal(faultsOf(() => parse([]))[0], "TYPE_OBJECT ");
  }
});

test("a file stands once among programs and data, however it is spelled", () => {
  const base = functionPolicy();
  const data_files = [...base.data_files, { data_file: "/program//detector.wasm", pi_hash: "0" }];
  assert.deepEqual(
    faultsOf(() => parseFunctionPolicy({ ...base, data_files })),
    ["HASH_FORMAT /data_files/3/pi_hash", "FILE_DUPLICATE /data_files/3/data_file"],
  );
  const file_hashes = [
    { file_path: "/a/b", hash: HASHES.cfg },
    { file_path: "/a/./b", hash: HASHES.names },
  ];
  assert.deepEqual(
    faultsOf(() => parseVaasPolicy({ ...vaasPolicy(), file_hashes })),
    ["FILE_DUPLICATE /file_hashes/1/file_path"],
  );
});

test("rights of a path stand once, however it is spelled", () => {
  const file_rights = [
    { file_name: "/in/", rights: 2 },
    { file_name: "/in", rights: 64 },
  ];
  const identities = [{ certificate: PEM.user, file_rights }];
  assert.deepEqual(
    faultsOf(() => parseUserPolicy({ ...userPolicy(), identities })),
    ["RIGHTS_DUPLICATE /identities/0/file_rights/1/file_name"],
  );
});

test("an identity's certificate is one certificate and nothing else", async (t) => {
  const refused = (text: unknown, ...faults: string[]) =>
    assert.deepEqual(
      faultsOf(() =>
        parseUserPolicy({
          ...userPolicy(),
          identities: [{ certificate: text, file_rights: [] }],
        }),
      ),
      faults.map((code) => `${code} /identities/0/certificate`),
    );
  await t.test("two", () => refused(`${PEM.user}\n${PEM.bridge}`, "CERTIFICATE_COUNT"));
  await t.test("none", () => refused("words", "CERTIFICATE_UNREADABLE"));
  await t.test("empty", () => refused("", "STRING_LENGTH"));
  await t.test("number", () => refused(7, "TYPE_STRING"));
  await t.test("too long", () =>
    refused("x".repeat(16 * 1024 + 1), "STRING_LENGTH", "CERTIFICATE_UNREADABLE"),
  );
  await t.test("private key beside it", () =>
    refused(`${PEM.user}\n-----BEGIN PRIVATE KEY-----\nAA==\n`, "CERTIFICATE_TEXT"),
  );
  await t.test("cut", () => refused(PEM.user.replace("MII", "MI"), "CERTIFICATE_UNREADABLE"));
});

test("a certificate may be flattened, or end in a line feed, and is kept as written", async () => {
  const flat = PEM.user.replace(/(?<!-)\n(?!-)/g, "");
  const [first, second] = [flat, `${PEM.bridge}\n`];
  const identities = [
    { certificate: first, file_rights: [] },
    { certificate: second, file_rights: [] },
  ];
  const policy = parseUserPolicy({ ...userPolicy(), identities });
  assert.deepEqual(
    policy.identities.map((identity) => identity.certificate),
    [first, second],
  );
  assert.deepEqual(
    faultsOf(() =>
      parseUserPolicy({
        ...userPolicy(),
        identities: [...identities, { certificate: PEM.user, file_rights: [] }],
      }),
    ),
    ["CERTIFICATE_DUPLICATE /identities/2/certificate"],
  );
});

test("a certificate of a key that is too small is refused", async () => {
  const keys = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const small = await certificate(
    "small",
    {},
    { ...keys, privateKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey },
  );
  const identities = [{ certificate: small, file_rights: [] }];
  assert.deepEqual(
    faultsOf(() => parseUserPolicy({ ...userPolicy(), identities })),
    ["CERTIFICATE_UNREADABLE /identities/0/certificate"],
  );
});

test("pipelines and native modules are refused rather than forgotten", () => {
  const text = policyText({ pipelines: [{}], native_modules: [{}, {}] });
  assert.deepEqual(
    faultsOf(() => parsePolicy(text)),
    ["UNSUPPORTED /pipelines", "UNSUPPORTED /native_modules"],
  );
});

test("lists are bounded before they are read", () => {
  const many = Array.from({ length: 257 }, () => 0);
  assert.deepEqual(
    faultsOf(() => parsePolicy(policyText({ identities: many, programs: many }))),
    ["ARRAY_TOO_LONG /identities", "ARRAY_TOO_LONG /programs"],
  );
});

test("a policy of nothing but faults lists the first hundred", () => {
  const identities = Array.from({ length: 256 }, () => ({}));
  const faults = faultsOf(() => parseUserPolicy({ ...userPolicy(), identities }));
  assert.equal(faults.length, 100);
});

test("refused: a name that ends early, forges a line or turns the direction of writing", async (t) => {
  const readers = [
    [parseFunctionPolicy, functionPolicy, "function"],
    [parseUserPolicy, userPolicy, "function"],
    [parseUserPolicy, userPolicy, "instanceid"],
    [parseVaasPolicy, vaasPolicy, "instance_id"],
  ] as const;
  for (const [parse, sample, member] of readers) {
    await t.test(`${parse.name} ${member}`, () => {
      for (const odd of ["a\0b", "a\nb", "\u001b[2J", "\u202egnp.exe"]) {
        const faults = faultsOf(() => parse({ ...sample(), [member]: odd }));
        assert.deepEqual(faults, [`STRING_CHARACTER /${member}`]);
      }
      for (const plain of ["a/b", "..", "ü 日本 😀", "a@1", "%"]) {
        parse({ ...sample(), [member]: plain });
      }
    });
  }
});
