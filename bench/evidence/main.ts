// Bench of the evidence verifier: node --expose-gc bench/evidence/main.ts [--quick] [--soak [COUNT]] [--json]
// Cold: a new verifier that reads its endorsements anew for each piece. Warm: one verifier that has seen the platform before,
// over evidence that it has not. Times are the process's processor time; all that is compared runs in turns.
import { generateKeyPairSync, sign } from "node:crypto";
import { createNodeCrypto } from "../../packages/channel/src/index.ts";
import { type CryptoPort, webCrypto } from "../../packages/core/src/index.ts";
import { type EvidenceRequest, verifyEvidence } from "../../packages/evidence/src/index.ts";
import { type Measured, measureInTurns, type Subject } from "./measure.ts";
import { pairings } from "./peer.ts";
import { type Counts, countSignatures, signatureCosts } from "./primitives.ts";
import { type Platform, platforms, requestOf } from "./samples.ts";
import { soak } from "./soak.ts";

const quick = process.argv.includes("--quick");
const effort = quick ? { rounds: 5, runs: 40 } : { rounds: 15, runs: 100 };
const SOAKED = 100_000;

const measured = await platforms(effort.rounds * effort.runs + effort.runs);
const report = process.argv.includes("--soak")
  ? { memory: await soak(measured, soakCount()) }
  : { evidence: await ours(measured), quotes: await pairs(), signatures: await signatures() };
if (process.argv.includes("--json")) console.log(JSON.stringify(report, null, 2));
else print(report);

interface Row {
  readonly name: string;
  readonly subjects: readonly Measured[];
}

interface Signatures {
  readonly costs: Counts;
  readonly counts: readonly {
    readonly name: string;
    readonly cold: Counts;
    readonly warm: Counts;
  }[];
}

type Report =
  | { readonly evidence: Row[]; readonly quotes: Row[]; readonly signatures: Signatures }
  | { readonly memory: Awaited<ReturnType<typeof soak>> };

async function ours(all: readonly Platform[]): Promise<Row[]> {
  const rows = [];
  for (const platform of all) {
    rows.push({
      name: platform.name,
      subjects: await measureInTurns(subjectsOf(platform), effort),
    });
  }
  return rows;
}

async function signatures(): Promise<Signatures> {
  const counts = [];
  for (const platform of measured) {
    counts.push({ name: platform.name, ...(await countSignatures(platform)) });
  }
  return { costs: await signatureCosts(effort), counts };
}

async function pairs(): Promise<Row[]> {
  const rows = [];
  for (const { name, subjects } of pairings()) {
    rows.push({ name, subjects: await measureInTurns(subjects, effort) });
  }
  return rows;
}

/** The same platform cold, warm, and warm as a browser verifies; beside one signature, which tells the machine's speed. */
function subjectsOf(platform: Platform): Subject[] {
  const warm = (crypto: CryptoPort) => seen(platform, requestOf(platform, crypto));
  return [
    { name: "one P-384 signature", run: oneSignature() },
    {
      name: "cold",
      run: async (index) =>
        await expectAffirmed(platform, index, requestOf(platform, createNodeCrypto())),
    },
    { name: "warm", run: warm(createNodeCrypto()) },
    { name: "Web Cryptography", run: warm(webCrypto) },
  ];
}

/** A verifier over pieces that it has not seen, of a platform that it has. */
function seen(platform: Platform, request: EvidenceRequest): Subject["run"] {
  let next = 0;
  return async () => await expectAffirmed(platform, next++, request);
}

async function expectAffirmed(
  { name, evidence }: Platform,
  index: number,
  request: EvidenceRequest,
): Promise<void> {
  const piece = evidence[index % evidence.length] ?? new Uint8Array();
  const { verdict } = await verifyEvidence(piece, request);
  if (verdict !== "affirmed") throw new Error(`${name} is ${verdict}`);
}

function oneSignature(): Subject["run"] {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const data = new Uint8Array(672);
  const signature = new Uint8Array(
    sign("sha384", data, { key: privateKey, dsaEncoding: "ieee-p1363" }),
  );
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const crypto = createNodeCrypto({ remembered: 0 });
  const scheme = { kind: "ecdsa", curve: "P-384", hash: "SHA-384" } as const;
  return async () => {
    if (!(await crypto.verify(scheme, spki, signature, data))) throw new Error("it does not hold");
  };
}

function soakCount(): number {
  const given = Number(process.argv[process.argv.indexOf("--soak") + 1]);
  return Number.isSafeInteger(given) && given > 0 ? given : SOAKED;
}

function print(made: Report): void {
  console.log(`Node ${process.version}; medians of processor time\n`);
  if ("memory" in made) {
    console.log("| verifications | heap, MiB | resident, MiB |\n| ---: | ---: | ---: |");
    for (const { verifications, heap, rss } of made.memory) {
      console.log(`| ${verifications} | ${heap.toFixed(1)} | ${rss.toFixed(1)} |`);
    }
    return;
  }
  console.log(
    "| evidence | cold | warm | warm, a second | one P-384 signature | Web Cryptography |",
  );
  console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
  for (const { name, subjects } of made.evidence) {
    const [signature, cold, warm, web] = subjects;
    if (!signature || !cold || !warm || !web) continue;
    const times = (each: Measured) => `${each.cpu.toFixed(2)} ms (${each.ratio.toFixed(1)}x)`;
    const second = Math.round(1000 / warm.cpu);
    console.log(
      `| ${name} | ${times(cold)} | ${times(warm)} | ${second} | ${signature.cpu.toFixed(2)} ms | ${times(web)} |`,
    );
  }
  printSignatures(made);
  for (const { name, subjects } of made.quotes) {
    console.log(
      `\n| real ${name} with collateral | cpu | wall | times ours |\n| --- | ---: | ---: | ---: |`,
    );
    for (const { name: who, cpu, wall, ratio } of subjects) {
      console.log(
        `| ${who} | ${cpu.toFixed(2)} ms | ${wall.toFixed(2)} ms | ${ratio.toFixed(1)} |`,
      );
    }
  }
}

/** What each verification checks, and what share of its time that is. */
function printSignatures({
  evidence,
  signatures: { costs, counts },
}: Extract<Report, { evidence: Row[] }>): void {
  const cost = Object.entries(costs).map(([kind, cpu]) => `${kind} ${cpu.toFixed(3)} ms`);
  console.log(`\nOne signature: ${cost.join(", ")}\n`);
  console.log("| evidence | signatures, cold | their share | signatures, warm | their share |");
  console.log("| --- | --- | ---: | --- | ---: |");
  for (const { name, cold, warm } of counts) {
    const subjects = evidence.find((row) => row.name === name)?.subjects ?? [];
    const told = ([of, which]: readonly [Counts, number]) => {
      const sum = Object.entries(of).reduce(
        (ms, [kind, each]) => ms + each * (costs[kind] ?? 0),
        0,
      );
      const text = Object.entries(of).map(([kind, each]) => `${each} ${kind}`);
      const share = sum / (subjects[which]?.cpu ?? Number.NaN);
      return `${text.join(", ") || "none"} | ${Math.round(share * 100)} %`;
    };
    console.log(`| ${name} | ${[[cold, 1] as const, [warm, 2] as const].map(told).join(" | ")} |`);
  }
}
