// The samples' suites of single faults as command lines: everything is right but one thing, which alone must refuse.
import { type EvidenceCase, type IndexEntry, sampleJson, samplePath } from "./evidence-cases.ts";

type Made = Omit<EvidenceCase, "id" | "kind" | "verb">;

interface Suite {
  readonly checkTime?: string;
  readonly cases: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Cases of a suite; a sentence when its samples are no evidence. */
export function suiteCases({ files }: IndexEntry): readonly Made[] | string {
  const [index = ""] = files;
  const folder = index.slice(0, index.lastIndexOf("/"));
  const make = SUITES[folder.slice(folder.lastIndexOf("/") + 1)];
  if (make === undefined) return "no command line is known for it";
  const suite = sampleJson<Suite>(index);
  return Object.entries(suite.cases).map(([name, each]) => {
    const argv = make(folder, name, each);
    const at = suite.checkTime === undefined ? [] : ["--at", suite.checkTime];
    return { argv: [...argv, ...at], ...expected(each["expected"] ?? "", name) };
  });
}

type Maker = (
  folder: string,
  name: string,
  each: Readonly<Record<string, string>>,
) => readonly string[];

const SUITES: Readonly<Record<string, Maker>> = {
  dcap: (folder, name, { reportData = "" }) => [
    samplePath(`${folder}/${name}.quote.bin`),
    "--endorsements",
    samplePath(`${folder}/${name}.collateral.json`),
    "--root",
    samplePath(`${folder}/root-ca.pem`),
    "--report-data",
    reportData,
  ],
  "snp-milan": (folder, name, { reportData = "", chain = "" }) => [
    samplePath(`${folder}/${name}.report.bin`),
    "--endorsements",
    samplePath(`${folder}/${name}.leaf.der`),
    samplePath(`${folder}/${name}.crl.der`),
    samplePath(`${folder}/${chain}`),
    "--root",
    samplePath(`${folder}/ark.pem`),
    "--report-data",
    reportData,
  ],
  nitro: (folder, name, { nonce = "", pcr0 = "" }) => [
    samplePath(`${folder}/${name}.bin`),
    "--root",
    samplePath(`${folder}/root.pem`),
    ...(name === "ok-userdata" ? [] : ["--nonce", nonce]),
    ...(name === "debug" ? [] : ["--expect", `pcr0=${pcr0}`]),
  ],
  ear: (folder, name) => [
    samplePath(`${folder}/${name}.jwt`),
    "--endorsements",
    samplePath(`${folder}/jwks.json`),
  ],
  tpm: (folder, name, { expectedNonce = "", expectedAkName = "" }) => [
    samplePath(`${folder}/${name}.json`),
    "--nonce",
    expectedNonce,
    "--expect",
    `akName=${expectedAkName}`,
  ],
};

/** What a case's word means for the command. */
function expected(word: string, name: string): Omit<Made, "argv"> {
  if (word === "ACCEPT") return { verdict: "affirmed", failed: [] };
  // A privilege level, or a state of a module, that the caller must judge; the samples leave it open.
  if (word === "POLICY") return { verdict: name === "vmpl2" ? "not-judged" : "refused" };
  if (word === "REJECT") return { verdict: "refused" };
  return { verdict: word === "UpToDate" ? "affirmed" : "refused", tcbStatus: word };
}
