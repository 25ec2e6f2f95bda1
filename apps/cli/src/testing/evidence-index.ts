// Entries of the samples' index as command lines.
import {
  bindingOf,
  type EvidenceCase,
  hourAfter,
  type IndexEntry,
  indexEntries,
  type MadeCase,
  type PassedOver,
  samplePath,
  verifyLine,
} from "./evidence-cases.ts";
import {
  armCases,
  earCases,
  enarxCases,
  gpuCases,
  logCases,
  raTlsCases,
  tpmCases,
  tpmServiceCases,
} from "./evidence-others.ts";
import { suiteCases } from "./evidence-suites.ts";

/** Every case of the index and of its suites. */
export function evidenceCases(): { cases: EvidenceCase[]; passedOver: PassedOver[] } {
  const cases: EvidenceCase[] = [];
  const passedOver: PassedOver[] = [];
  for (const entry of indexEntries()) {
    const { id, type: kind } = entry;
    const made = entry.id.startsWith("synthetic-") ? suiteCases(entry) : casesOf(entry);
    if (typeof made === "string") passedOver.push({ id, kind, why: made });
    else for (const each of made) cases.push({ id, kind, verb: "verify", ...each });
  }
  return { cases, passedOver };
}

function casesOf(entry: IndexEntry): readonly MadeCase[] | string {
  const maker = MAKERS.find(([prefix]) => entry.id.startsWith(prefix))?.[1];
  return maker === undefined ? "no command line is known for it" : maker(entry);
}

const MAKERS: readonly (readonly [string, (entry: IndexEntry) => readonly MadeCase[] | string])[] =
  [
    ["sgx-v3-intel-qvl", qvlCases],
    ["sgx-v3-", quoteCases],
    ["tdx-v", quoteCases],
    ["ccel-", logCases],
    ["snp-certs-only", showCases],
    ["amd-crls", showCases],
    ["collateral-sources", showCases],
    ["az-hcl-report", showCases],
    ["snp-", snpCases],
    ["az-", azureCases],
    ["tpm-swtpm", tpmCases],
    ["tpm-trustee", tpmServiceCases],
    ["nitro-", nitroCases],
    ["cca-", (entry) => armCases(entry, "cca", "realmChallenge", "arm/cca-trustee.tastore.json")],
    ["psa-", (entry) => armCases(entry, "psa", "nonce", "arm/psa-veraison.key.json")],
    ["ratls-", raTlsCases],
    ["csr-enarx", enarxCases],
    ["nvidia-", gpuCases],
    ["sev-launch-digests", () => "inputs and digests, no evidence: tested in packages/evidence"],
    [
      "sev-chain",
      () => "a chain of the generation before SNP, no evidence: tested in packages/evidence",
    ],
    [
      "sev-launch-measure",
      () => "inputs of a key exchange, no evidence: tested in packages/evidence",
    ],
    ["ear-", earCases],
  ];

function quoteCases(entry: IndexEntry): readonly MadeCase[] {
  const type = entry.id.slice(0, 3);
  const { fmspc, pceId, cpuSvn, pceSvn, ca } = entry.pck ?? {};
  const claims = { ...entry.claims, fmspc, pceId, cpuSvn, pceSvn, pckCa: ca };
  const debug = entry.debug ?? false;
  const garbage = entry.id === "tdx-v4-go-spr-e4" ? ["quote.trailing"] : [];
  const judged = (entry.evaluations ?? []).map((evaluation): MadeCase => {
    const rejected = evaluation.tcbStatus.startsWith("REJECT");
    const current = evaluation.tcbStatus === "UpToDate";
    const failed = [
      ...garbage,
      ...(rejected ? ["tcb.level"] : []),
      ...(rejected || current ? [] : ["tcb.status"]),
      ...(debug ? ["quote.debug"] : []),
    ];
    return {
      argv: verifyLine(
        entry,
        type,
        "--endorsements",
        samplePath(evaluation.collateral),
        "--at",
        evaluation.checkTime,
        ...bindingOf(entry, "--report-data", "reportData"),
      ),
      verdict: failed.length > 0 ? "refused" : "affirmed",
      failed,
      claims: rejected ? claims : { ...claims, tcbDate: evaluation.tcbDate },
      tcbStatus: rejected ? null : evaluation.tcbStatus,
      advisoryIds: evaluation.advisoryIds ?? [],
      debug,
    };
  });
  if (judged.length > 0) return judged;
  return [
    {
      argv: verifyLine(entry, type, "--at", hourAfter(entry.pck?.["validFrom"])),
      verdict: "not-judged",
      failed: [],
      claims,
      debug,
    },
  ];
}

function qvlCases(entry: IndexEntry): readonly MadeCase[] {
  return [
    {
      argv: verifyLine(
        entry,
        "sgx",
        "--endorsements",
        samplePath("intel-qvl-sample"),
        "--root",
        samplePath("intel-qvl-sample/trustedRootCaCert.pem"),
        "--at",
        "2024-01-01T00:00:00Z",
      ),
      verdict: "affirmed",
      failed: [],
      tcbStatus: "UpToDate",
      debug: false,
    },
  ];
}

function showCases(entry: IndexEntry): readonly MadeCase[] {
  return entry.files.map((file) => ({ verb: "show", argv: [samplePath(file)] }));
}

function snpCases(entry: IndexEntry): readonly MadeCase[] {
  const [report = "", leaf = "", json] = entry.files;
  const foreign = entry.id.startsWith("snp-milan-wrong-vcek");
  const options = [
    "--at",
    hourAfter(entry.leafValidFrom),
    // No revocation list of these product lines and days is among the samples.
    "--waive",
    "snp.revocation",
    ...bindingOf(entry, "--report-data", "reportData"),
    "--expect",
    `vmpl=${entry.claims?.["vmpl"]}`,
    "--expect",
    `measurement=${entry.claims?.["measurement"]}`,
  ];
  const debug = entry.debug ?? false;
  const expected: Omit<MadeCase, "argv"> = {
    verdict: foreign || debug ? "refused" : "affirmed",
    ...(foreign ? {} : { failed: debug ? ["snp.debug"] : [] }),
    ...(entry.claims === undefined ? {} : { claims: entry.claims }),
    debug,
  };
  const beside = ["--endorsements", samplePath(leaf)];
  const made: MadeCase[] = [
    { argv: [samplePath(report), "--type", "snp", ...beside, ...options], ...expected },
  ];
  if (json === undefined) return made;
  return [...made, { argv: [samplePath(json), "--type", "snp", ...options], ...expected }];
}

function azureCases(entry: IndexEntry): readonly MadeCase[] {
  const collateral = samplePath("collateral/automata-00806f05-2025-07.json");
  const isTdx = entry.id.startsWith("az-tdx");
  const options = isTdx
    ? ["--endorsements", collateral, "--accept-tcb", "OutOfDate", "--waive", "tdx.sept-ve"]
    : ["--waive", "snp.revocation"];
  return [
    {
      argv: verifyLine(
        entry,
        "azure",
        "--at",
        "2025-07-07T10:20:26Z",
        ...bindingOf(entry, "--nonce", "tpmNonce"),
        ...options,
      ),
      verdict: "affirmed",
      failed: [],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
      ...(isTdx ? { tcbStatus: "OutOfDate" } : {}),
      debug: false,
    },
  ];
}

function nitroCases(entry: IndexEntry): readonly MadeCase[] {
  const debug = entry.debug ?? false;
  return [
    {
      argv: verifyLine(
        entry,
        "nitro",
        "--at",
        entry.checkTime ?? "",
        ...bindingOf(entry, "--nonce", "nonce"),
        ...bindingOf(entry, "--report-data", "userData"),
      ),
      verdict: debug ? "refused" : "affirmed",
      failed: debug ? ["nitro.debug"] : [],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
      debug,
    },
  ];
}
