// Proves that every check of every type of evidence counts: with that one check taken out of the verifier, a sample whose
// only defect it is comes through. Prints a line for each check; ends with 1 when one does not count.
// Usage: node tools/mutate-evidence.ts [--json]
import { interfering } from "./disable-check.ts";
import type { Judged, Sample, Suite } from "./evidence-suites.ts";

/** What shows that a check counts. */
export interface Proof {
  readonly type: string;
  readonly check: string;
  /**
   * `affirmed`: without the check the sample is affirmed. `gate`: without it the sample is no longer refused, but what the
   * check guards can't be judged. `open`: the sample leaves the check open, which alone keeps it from being affirmed.
   */
  readonly kind: "affirmed" | "gate" | "open" | "none";
  /** The sample that shows it. */
  readonly sample: string | undefined;
}

/** The checks of a type with their proofs, in the order of the verifier. */
export async function proveSuite(suite: Suite): Promise<Proof[]> {
  const proofs = new Map<string, Proof>();
  const names = new Set(suite.names);
  for (const sample of suite.samples) {
    const appraisal = await sample.judge();
    for (const { name } of appraisal.checks) names.add(name);
    const check = decisive(suite, sample, appraisal);
    if (check === undefined || proofs.get(check)?.kind === "affirmed") continue;
    const kind = await proofOf(sample, check, appraisal);
    if (STRENGTH[kind] > STRENGTH[proofs.get(check)?.kind ?? "none"]) {
      proofs.set(check, { type: suite.type, check, kind, sample: sample.name });
    }
  }
  return [...names].map(
    (check) => proofs.get(check) ?? { type: suite.type, check, kind: "none", sample: undefined },
  );
}

/** Checks of a sample in order that may be left out without the verdict minding, unless they are waived: none must be. */
export async function skippedYetAffirmed(suite: Suite): Promise<string[]> {
  const right = suite.samples.find(({ fails }) => fails.length === 0);
  const { checks, verdict, waived } = (await right?.judge()) ?? {};
  if (right === undefined || verdict !== "affirmed") {
    throw new Error(`${suite.type}: the first sample must be in order, it is ${verdict}`);
  }
  const affirmed: string[] = [];
  for (const { name } of checks ?? []) {
    if (waived?.includes(name)) continue;
    const skipped = await interfering("skipped", coreName(name), right.judge);
    if (skipped.verdict === "affirmed") affirmed.push(name);
  }
  return affirmed;
}

/** Whether a check is shown to count, or can't be and says why. */
export function isProven(proof: Proof): boolean {
  return proof.kind !== "none" || reasonOf(proof) !== undefined;
}

/** Why no sample can fail a check alone. */
export function reasonOf({ type, check }: Proof): string | undefined {
  return UNPROVABLE.find(([types, checks]) => types.test(type) && checks.test(check))?.[2];
}

const UNPROVABLE: readonly (readonly [types: RegExp, checks: RegExp, why: string])[] = [
  [
    /^(?!nitro)/,
    /^(pck\.)?path\.(length|names)$/,
    "the path is put together by name and no longer than allowed; shown by Nitro, whose paths come as they are",
  ],
  [
    /./,
    /^(snp|gpu)\.leaf$|^psa\.key$|^cca\.platform-key$/,
    "never fails: without certificate or key it is open, and so is everything that needs one",
  ],
  [
    /^(azure|ra-tls|enarx-csr(, snp)?)$/,
    /^(snp|quote)\.format$/,
    "what stands inside is read with the whole: the outer format fails",
  ],
  [
    /^(ra-tls|enarx-csr(, snp)?)$/,
    /^(quote|snp)\.report-data$/,
    "waived: the carrier's own check is over it",
  ],
  [
    /^azure$/,
    /^tpm\.(ak|ak-attributes)$/,
    "the key is the one that the paravisor's claims name; shown by TPM quotes",
  ],
  [
    /^ear$/,
    /^ear\.key$/,
    "without a key that fits, the signature holds as little: both fail, or both are open",
  ],
];

const STRENGTH = { affirmed: 3, open: 2, gate: 1, none: 0 } as const;

/** The one check that stands between a sample and its being affirmed, as far as the appraisal shows. */
function decisive(suite: Suite, sample: Sample, { checks, waived }: Judged): string | undefined {
  const of = (outcome: string) => checks.filter((each) => each.outcome === outcome);
  const failed = of("failed").map(({ name }) => name);
  if (failed.join() !== sample.fails.join()) {
    const [found, wanted] = [failed.join(), sample.fails.join()];
    throw new Error(`${suite.type}: ${sample.name}: ${found} failed, ${wanted} expected`);
  }
  if (failed.length > 0) return failed.length === 1 ? failed[0] : undefined;
  return of("not performed").find(({ name }) => !waived.includes(name))?.name;
}

async function proofOf(sample: Sample, check: string, { checks }: Judged): Promise<Proof["kind"]> {
  const refused = sample.fails.length > 0;
  const { verdict } = await interfering("disabled", coreName(check), sample.judge);
  if (verdict === "affirmed") {
    const skipped = await interfering("skipped", coreName(check), sample.judge);
    if (skipped.verdict === "affirmed") throw new Error(`${check}: affirmed when not performed`);
    return refused ? "affirmed" : "open";
  }
  if (!refused) return "none";
  // What can't be read is refused by the reader: without it there is nothing to judge, and nothing else refuses.
  const others = checks.filter(({ name }) => name !== check);
  const alone = others.every(({ outcome }) => outcome === "not performed");
  return verdict === "not-judged" || alone ? "gate" : "none";
}

/** Where evidence has two paths their checks carry a prefix, which core does not know. */
function coreName(name: string): string {
  return name.replace(/^pck\.path\./, "path.");
}

if (import.meta.main) {
  const { evidenceSuites } = await import("./evidence-suites.ts");
  const proofs: Proof[] = [];
  // One after the other: only one check may be out at a time.
  for (const suite of await evidenceSuites()) proofs.push(...(await proveSuite(suite)));
  if (process.argv.includes("--json")) console.log(JSON.stringify(proofs, null, 2));
  else for (const proof of proofs) console.log(line(proof));
  process.exitCode = proofs.every(isProven) ? 0 : 1;
}

function line(proof: Proof): string {
  const { type, check, kind, sample } = proof;
  const why = sample ?? reasonOf(proof) ?? "NOT PROVEN";
  return `${type.padEnd(14)} ${check.padEnd(29)} ${kind.padEnd(9)} ${why}`;
}
