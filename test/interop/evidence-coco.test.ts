// The sample index of Confidential Containers, row by row: values that its own verifier states of evidence, event logs and
// token keys are those that ours finds. What is refused or accepted as a whole is in packages/evidence.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type Certificate,
  fromBase64,
  fromHex,
  fromPem,
  isSignedBy,
  parseCertificate,
  toHex,
  webCrypto,
} from "../../packages/core/src/index.ts";
import {
  type EvidenceRequest,
  keyOfJwk,
  NO_ENDORSEMENTS,
  parseEventLog,
  parseQuote,
  readEndorsements,
  replayEventLog,
  verifyEvidence,
} from "../../packages/evidence/src/index.ts";
import { findPath, holds } from "../../packages/evidence/src/judge/find-path.ts";
import { readSample, readSampleJson, sampleFolder } from "../../packages/testkit/src/index.ts";

const { folder = "", why } = sampleFolder("coco/trustee");
const ROWS = { skip: why };
const TEST_DATA = "deps/verifier/test_data";
const LOGS = "deps/eventlog/test_data";
const data = (name: string) => readSample(folder, `${TEST_DATA}/${name}`);
const json = <T>(path: string) => readSampleJson<T>(folder, path);
const textOf = (path: string) => new TextDecoder().decode(readSample(folder, path));
const certificates = (pem: string) =>
  fromPem("CERTIFICATE", pem).map((der) => parseCertificate(der));

const REQUEST: EvidenceRequest = {
  at: new Date("2025-06-01T00:00:00Z"),
  crypto: webCrypto,
  endorsements: NO_ENDORSEMENTS,
  allowDebug: true,
  waive: ["snp.revocation", "gpu.revocation"],
};

type Claims = Readonly<Record<string, unknown>>;

async function claimsOf(
  evidence: Uint8Array,
  change: Partial<EvidenceRequest> = {},
): Promise<Claims> {
  const { claims, checks } = await verifyEvidence(evidence, { ...REQUEST, ...change });
  const failed = checks.filter(({ outcome }) => outcome === "failed");
  assert.ok(claims, failed.map(({ name, detail }) => `${name}: ${detail}`).join("; "));
  return claims as Claims;
}

function startsAndEnds(value: unknown, start: string, end: string): void {
  const text = String(value);
  assert.ok(text.startsWith(start) && text.endsWith(end), `${text}: ${start}…${end} expected`);
}

/** Its verifier writes the platform's id from its last byte; ours as it stands in the certificate. */
function backToFront(value: unknown): string {
  return toHex(fromHex(String(value)).toReversed());
}

const endorsed = (...names: readonly string[]) =>
  readEndorsements(names.map((name) => ({ name, bytes: data(name) })));

test("snp: measurement, report data and TCB of the report", ROWS, async () => {
  const claims = await claimsOf(data("snp/test-report.bin"), {
    endorsements: endorsed("snp/test-vcek.der"),
  });
  startsAndEnds(claims["measurement"], "a1f39304", "d38c");
  assert.match(String(claims["reportData"]), /^ec6c52d7\w*ad7e20+$/);
  assert.deepEqual(claims["reportedTcb"], { bl: 3, tee: 0, snp: 8, ucode: 0x73 });
});

test("snp: chains of the vendor, and a VLEK only under its own product line", ROWS, async () => {
  const vlek = parseCertificate(data("snp/test-vlek.der"));
  for (const line of ["milan", "genoa", "turin"]) {
    const [ask, ark, asvk] = certificates(textOf(`deps/verifier/src/snp/${line}_ask_ark_asvk.pem`));
    assert.ok(ask && ark && asvk);
    const name = `${line.charAt(0).toUpperCase()}${line.slice(1)}`;
    for (const [certificate, common] of [
      [ask, `SEV-${name}`],
      [ark, `ARK-${name}`],
      [asvk, `SEV-VLEK-${name}`],
    ] as const) {
      assert.match(certificate.subject.text, new RegExp(`CN=${common}\\b`));
      assert.ok(await isSignedBy(certificate, ark.spki, ark.key, webCrypto), common);
    }
    assert.equal(await isSignedBy(vlek, asvk.spki, asvk.key, webCrypto), line === "milan", line);
  }
});

test("snp: evidence as the attester sends it, in JSON", ROWS, async () => {
  const path = "attestation-service/tests/e2e/evidence.json";
  const claims = await claimsOf(readSample(folder, path));
  startsAndEnds(claims["reportData"], "7e732088", "0cf9b0");
  assert.equal(claims["product"], "genoa");
});

test("tdx: every field of the parsed quote", ROWS, async () => {
  interface Expected {
    readonly quote: { readonly body: Claims; readonly header: Claims };
    readonly platform_instance_id: string;
    readonly report_data: string;
  }
  const { quote, platform_instance_id } = json<Expected>(
    `${TEST_DATA}/parse_tdx_claims_expected.json`,
  );
  const claims = await claimsOf(data("tdx_quote_4.dat"));
  const names: Readonly<Record<string, string>> = {
    mr_config_id: "mrConfigId",
    mr_owner: "mrOwner",
    mr_owner_config: "mrOwnerConfig",
    mr_seam: "mrSeam",
    mr_td: "mrTd",
    mrsigner_seam: "mrSignerSeam",
    report_data: "reportData",
    rtmr_0: "rtMr0",
    rtmr_1: "rtMr1",
    rtmr_2: "rtMr2",
    rtmr_3: "rtMr3",
    seam_attributes: "seamAttributes",
    tcb_svn: "teeTcbSvn",
    td_attributes: "tdAttributes",
    xfam: "xfam",
  };
  for (const [name, value] of Object.entries(quote.body)) {
    assert.equal(claims[names[name] ?? ""], value, name);
  }
  assert.equal(backToFront(claims["platformInstanceId"]), platform_instance_id);
  const { version, vendorId } = parseQuote(data("tdx_quote_4.dat"));
  assert.equal(version, 4);
  assert.equal(toHex(vendorId), quote.header["vendor_id"]);
});

test("sgx: the enclave of Occlum", ROWS, async () => {
  const claims = await claimsOf(data("occlum_quote.dat"));
  startsAndEnds(claims["mrEnclave"], "8f173e46", "1c68");
  startsAndEnds(claims["mrSigner"], "83d719e7", "ce9e");
  assert.match(String(claims["reportData"]), /^746573740+$/);
  startsAndEnds(backToFront(claims["platformInstanceId"]), "7a3a6941", "c0c8");
});

test("azure: nonces and first registers", ROWS, async () => {
  for (const [name, nonce, pcr0, at] of [
    ["az-snp-vtpm/evidence-v0.json", "6368616c6c656e6765", "e15c4479…dced", undefined],
    ["az-snp-vtpm/evidence-v1.json", "6368616c6c656e6765", "e15c4479…dced", undefined],
    ["az-snp-vtpm/evidence-v2.json", "982f5c6e…f819ef", "84275b2f…a6a7", "2026-06-01T00:00:00Z"],
    ["az-snp-vtpm/evidence-genoa.json", "0218488b…950f", "afd689d0…3338", undefined],
    ["az-tdx-vtpm/evidence-v0.json", "6368616c6c656e6765", "782b20b1…a273", undefined],
    ["az-tdx-vtpm/evidence-v1.json", "6368616c6c656e6765", "782b20b1…a273", undefined],
  ] as const) {
    const claims = await claimsOf(data(name), at === undefined ? {} : { at: new Date(at) });
    const found = [claims["tpmNonce"], (claims["pcrs"] as Claims)["0"]];
    for (const [index, wanted] of [nonce, pcr0].entries()) {
      const [start = "", end = ""] = wanted.split("…");
      startsAndEnds(found[index], start, end);
    }
  }
});

test("nvidia: claims of the report, and the nonce of another", ROWS, async () => {
  const expected = JSON.parse(textOf(`${TEST_DATA}/nvidia/hopperAttestationReport-claims.txt`)) as {
    readonly config: Claims;
    readonly measurements: Claims;
  };
  const claims = await claimsOf(data("nvidia/hopperAttestationReport.txt"), {
    endorsements: endorsed("nvidia/hopper_cert_chain_case1.txt"),
  });
  assert.deepEqual(claims["measurements"], expected.measurements);
  for (const [name, claim] of [
    ["board_id", "boardId"],
    ["chip_sku", "chipSku"],
    ["driver_version", "driverVersion"],
    ["fwid", "fwid"],
    ["project", "project"],
    ["project_sku", "projectSku"],
    ["vbios_version", "vbiosVersion"],
  ] as const) {
    assert.equal(String(claims[claim]).toLowerCase(), expected.config[name], name);
  }
  const other = await claimsOf(data("nvidia/hopper_coco_report1.txt"), {
    endorsements: endorsed("nvidia/hopper_coco_certs1.txt"),
  });
  startsAndEnds(other["nonce"], "87d8e24a", "3fec");
});

test("tpm: a quote over the whole bank", ROWS, async () => {
  const { ak_public } = json<{ ak_public: string }>(`${TEST_DATA}/tpm_evidence.json`);
  const pem = `-----BEGIN PUBLIC KEY-----\n${ak_public}\n-----END PUBLIC KEY-----\n`;
  const endorsements = readEndorsements([{ name: "ak", bytes: new TextEncoder().encode(pem) }]);
  const claims = await claimsOf(data("tpm_evidence.json"), { endorsements });
  assert.equal(claims["pcrSelection"], "ffffff");
});

interface ParsedLog {
  readonly uefi_event_logs: readonly {
    readonly index: number;
    readonly digests: readonly { readonly alg: string; readonly digest: string }[];
    readonly event: string;
  }[];
}

for (const name of [
  "data",
  "data_csv",
  "data_ovmf",
  "data_grub",
  "data_grub_gke",
  "AAEL_alibabacloud",
]) {
  test(`CCEL_${name}: events, registers and digests as parsed`, ROWS, () => {
    const { events } = parseEventLog(readSample(folder, `${LOGS}/CCEL_${name}`));
    const { uefi_event_logs: expected } = json<ParsedLog>(`${LOGS}/CCEL_${name}_out.json`);
    assert.deepEqual(
      events.map(({ register, digests, data: event }) => [
        register,
        [...digests].map(([bank, digest]) => [bank, toHex(digest)]),
        toHex(event),
      ]),
      expected.map(({ index, digests, event }) => [
        index,
        digests.map(({ alg, digest }) => [alg.toLowerCase().replace("-", ""), digest]),
        toHex(fromBase64(event)),
      ]),
    );
  });
}

test("CCEL_data_csv: a log in SM3 replays to its registers", ROWS, async () => {
  const log = parseEventLog(readSample(folder, `${LOGS}/CCEL_data_csv`));
  const registers = await replayEventLog(log, "sm3", webCrypto);
  const starts = [1, 2, 3, 4].map((register) => registers.get(register));
  assert.deepEqual(
    starts.map((value) => value && toHex(value).slice(0, 16)),
    ["d76c4b289abcdf0e", "0559c2040dc2045f", "287078930b845b37", undefined],
  );
});

interface Jwk extends Claims {
  readonly x5c?: readonly string[];
}

/** Whether a key is endorsed: its certificate is for it, and has a path to a certificate that is trusted. */
async function endorses(jwk: Jwk, trusted: readonly Certificate[], at: Date): Promise<boolean> {
  const [leaf, ...others] = (jwk.x5c ?? []).map((each) => parseCertificate(fromBase64(each)));
  if (leaf === undefined || toHex(leaf.spki) !== toHex(keyOfJwk(jwk).spki)) return false;
  const roots = trusted.filter(({ issuer, subject }) => toHex(issuer.der) === toHex(subject.der));
  const path = await findPath({
    leaf,
    others: [...others, ...trusted],
    anchors: roots,
    at,
    crypto: webCrypto,
    leafMayBeCa: true,
  });
  return holds(path);
}

const ENDORSED: Readonly<Record<string, boolean>> = {
  "01": true,
  "02": false,
  "03": false,
  "04": false,
  "05": true,
  "06": true,
  "07": true,
};

test("token keys, endorsed by a certificate or not", ROWS, async (t: TestContext) => {
  for (const [number, expected] of Object.entries(ENDORSED)) {
    await t.test(`scenario ${number}`, async () => {
      const path = `kbs/test_data/jwk/scenario${number}`;
      const trusted = certificates(textOf(`${path}-trust.pem`));
      const at = new Date("2026-06-01T00:00:00Z");
      assert.equal(await endorses(json<Jwk>(`${path}-jwk.json`), trusted, at), expected);
    });
  }
});

test("the published key of a token is that of its certificate", ROWS, async () => {
  const path = "attestation-service/tests/fixtures/jwk";
  const { keys } = json<{ keys: readonly Jwk[] }>(`${path}/expected-jwks.json`);
  const [certificate] = certificates(textOf(`${path}/cert-chain.pem`));
  const [key, ...more] = keys;
  assert.ok(key && certificate && more.length === 0);
  assert.deepEqual(fromBase64(key.x5c?.[0] ?? ""), certificate.der);
  assert.equal(toHex(keyOfJwk(key).spki), toHex(certificate.spki));
  assert.equal(fromHex(toHex(certificate.spki)).length, 91);
});
