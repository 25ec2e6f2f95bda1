// What fuzzing starts from: evidence made under roots of our own, and real samples where they are there, with the parts
// that readers see on their own.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { concat, fromPem, HoldfastError, webCrypto } from "../../packages/core/src/index.ts";
import {
  bundleItems,
  type Endorsements,
  encodeCollateralBundle,
  encodeRecord,
  FIRST_PREVIOUS,
  NO_ENDORSEMENTS,
  parseHclReport,
} from "../../packages/evidence/src/index.ts";
import {
  encodeEventLog,
  encodeFirmware,
  encodePcrFile,
  encodeSevChain,
  encodeTdFirmware,
  newAzureEvidence,
  newCcaToken,
  newEarToken,
  newEnarxRequest,
  newEnarxSnpRequest,
  newGpuEvidence,
  newIntelEvidence,
  newIntelWorld,
  newNitroDocument,
  newNitroWorld,
  newPsaToken,
  newRaTlsCertificate,
  newSnpEvidence,
  newSnpWorld,
  newTpmEvidence,
  OLD_PSA_CLAIMS,
  peImage,
  sampleFolder,
} from "../../packages/testkit/src/index.ts";

/** Larger files would only slow fuzzing down: their readers see smaller ones too. */
const LARGEST = 96 * 1024;

/** The corpus, every entry once. */
export async function fuzzCorpus(): Promise<Uint8Array[]> {
  const whole = [...(await made()), ...real()];
  const all = [...whole, ...whole.flatMap(partsOf)];
  const unique = new Map(all.map((bytes) => [Buffer.from(bytes).toString("base64"), bytes]));
  return [...unique.values()].filter(({ length }) => length <= LARGEST);
}

async function made(): Promise<Uint8Array[]> {
  const [intel, snp, nitro] = [await newIntelWorld(), await newSnpWorld(), await newNitroWorld()];
  const quotes = [];
  for (const kind of ["sgx3", "tdx4", "tdx5"] as const) {
    quotes.push(await newIntelEvidence(intel, { kind }));
  }
  const tpm = await newTpmEvidence();
  const report = await newSnpEvidence(snp);
  const gpu = await newGpuEvidence();
  const azure = await newAzureEvidence(snp);
  return [
    ...quotes.map(({ evidence }) => evidence),
    ...quotes.flatMap(({ request }) =>
      request.endorsements.intel.map(({ text: signed }) => new TextEncoder().encode(signed)),
    ),
    intel.pckList.der,
    snp.list.der,
    report.evidence,
    report.leaf.certificate.der,
    await newNitroDocument(nitro),
    tpm.evidence.quote,
    tpm.evidence.area?.bytes ?? new Uint8Array(),
    azure.evidence.hclReport,
    newPsaToken().evidence,
    newPsaToken({ claims: OLD_PSA_CLAIMS }).evidence,
    await bundleOf(quotes[0]?.request.endorsements ?? NO_ENDORSEMENTS),
    newCcaToken().evidence,
    newCcaToken({ coseKey: true }).evidence,
    gpu.evidence,
    ...gpu.request.endorsements.certificates.map(({ der }) => der),
    (await newRaTlsCertificate(intel)).evidence,
    (await newEnarxRequest(intel)).evidence,
    (await newEnarxSnpRequest(snp)).evidence,
    newEarToken().evidence,
    encodePcrFile([0, 1, 2, 7, 8, 9, 10, 11, 16]),
    ...Object.values(encodeSevChain()),
    encodeFirmware(),
    encodeTdFirmware(),
    peImage(),
    encodeEventLog([{ register: 1, digest: new Uint8Array(48).fill(1) }]),
    new TextEncoder().encode(
      encodeRecord({
        sequence: 0,
        previous: FIRST_PREVIOUS,
        time: "2026-06-01T00:00:00Z",
        kind: "appraise",
        outcome: "affirmed",
        checks: [],
        evidence: "AAAA",
        facts: { platform: "simulated" },
      }),
    ),
  ];
}

async function bundleOf(endorsements: Endorsements): Promise<Uint8Array> {
  const items = await bundleItems(endorsements, webCrypto);
  const made = new Date("2026-06-01T00:00:00Z");
  return new TextEncoder().encode(await encodeCollateralBundle({ made, items }, webCrypto));
}

function real(): Uint8Array[] {
  const folders = ["evidence", "coco/trustee/deps"].map((name) => sampleFolder(name).folder);
  return folders.flatMap((folder) => (folder === undefined ? [] : filesUnder(folder)));
}

function filesUnder(folder: string): Uint8Array[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => {
      const stat = statSync(path);
      return stat.isFile() && stat.size <= LARGEST;
    })
    .map((path) => new Uint8Array(readFileSync(path)));
}

/** Bodies, certificates and inner reports of an entry; none when it has none. */
function partsOf(bytes: Uint8Array): Uint8Array[] {
  return [
    ...attempt(() => [bytes.subarray(48, 432), bytes.subarray(48, 632), bytes.subarray(54, 702)]),
    ...attempt(() => fromPem("CERTIFICATE", new TextDecoder().decode(bytes))),
    ...attempt(() => signedTexts(bytes)),
    ...attempt(() => [parseHclReport(bytes).hardwareReport]),
    ...attempt(() => [Uint8Array.fromHex(new TextDecoder().decode(bytes).trim())]),
    // TPMT_SIGNATURE by ECDSA with SHA-256, as a TPM writes it.
    concat(Uint8Array.of(0, 0x18, 0, 0x0b, 0, 32), bytes.subarray(0, 32), Uint8Array.of(0, 32)),
  ].filter(({ length }) => length > 0);
}

/** The signed documents inside a set of collateral. */
function signedTexts(bytes: Uint8Array): Uint8Array[] {
  const set = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> | null;
  return [set?.["tcb_info"], set?.["qe_identity"]].flatMap((text) =>
    typeof text === "string" ? [new TextEncoder().encode(text)] : [],
  );
}

function attempt(read: () => Uint8Array[]): Uint8Array[] {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof HoldfastError || thrown instanceof SyntaxError) return [];
    throw thrown;
  }
}
