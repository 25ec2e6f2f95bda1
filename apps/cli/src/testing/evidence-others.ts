// Entries of the samples' index as command lines: everything but quotes, SNP, Azure and Nitro.
import {
  bindingOf,
  type IndexEntry,
  type MadeCase,
  samplePath,
  verifyLine,
} from "./evidence-cases.ts";

/** Event logs, alone and beside the quote of their machine. */
export function logCases(entry: IndexEntry): readonly MadeCase[] {
  const alone: MadeCase = {
    argv: verifyLine(entry, "event-log"),
    verdict: "not-judged",
    failed: [],
    claims: { ...entry.claims, events: (entry as { events?: number }).events },
  };
  if (!entry.id.startsWith("ccel-lunal-live")) return [alone];
  const [log = ""] = entry.files;
  const failed = entry.id.endsWith("mismatch") ? ["event-log.3"] : [];
  const quote = samplePath("tdx/lunal-live.quote.bin");
  const at = ["--at", "2026-04-01T00:00:00Z"];
  return [
    alone,
    {
      argv: [quote, "--type", "tdx", "--endorsements", samplePath(log), ...at],
      verdict: failed.length > 0 ? "refused" : "not-judged",
      failed,
    },
  ];
}

/** A quote as tools leave it, in several files. */
export function tpmCases(entry: IndexEntry): readonly MadeCase[] {
  const quote = entry.files.find((file) => file.endsWith("/quote.msg")) ?? "";
  const folder = samplePath(quote.slice(0, quote.lastIndexOf("/")));
  const nonce = bindingOf(entry, "--nonce", "nonce");
  return [
    {
      argv: [samplePath(quote), "--type", "tpm", "--endorsements", folder, ...nonce],
      verdict: "affirmed",
      failed: [],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
    },
  ];
}

/** Evidence of a service, whose key nobody enrolled. */
export function tpmServiceCases(entry: IndexEntry): readonly MadeCase[] {
  return [
    {
      argv: verifyLine(entry, "tpm", ...bindingOf(entry, "--nonce", "qualifyingData")),
      // Nobody enrolled its key.
      verdict: "not-judged",
      failed: [],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
    },
  ];
}

/** Tokens of Arm, under an enrolled key. */
export function armCases(
  entry: IndexEntry,
  type: string,
  nonce: string,
  keys: string,
): readonly MadeCase[] {
  const claims = entry.claims === undefined ? {} : { claims: entry.claims };
  const bound = bindingOf(entry, "--nonce", nonce);
  return [
    {
      argv: verifyLine(entry, type, "--endorsements", samplePath(keys), ...bound),
      verdict: "affirmed",
      failed: [],
      ...claims,
      debug: false,
    },
  ];
}

/** A certificate that carries a quote. */
export function raTlsCases(entry: IndexEntry): readonly MadeCase[] {
  return [
    {
      argv: verifyLine(entry, "ra-tls", "--at", "2024-04-15T16:53:30Z"),
      verdict: "refused",
      failed: ["quote.debug"],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
      debug: true,
    },
  ];
}

/** A request that carries a quote and its collateral. */
export function enarxCases(entry: IndexEntry): readonly MadeCase[] {
  const collateral = samplePath("collateral/automata-00606a-2025-08.json");
  return [
    {
      argv: verifyLine(
        entry,
        "enarx-csr",
        "--endorsements",
        collateral,
        "--at",
        "2025-08-15T06:41:26Z",
      ),
      verdict: "refused",
      failed: ["tcb.status"],
      tcbStatus: "OutOfDate",
      debug: false,
    },
  ];
}

/** A report of a GPU. */
export function gpuCases(entry: IndexEntry): readonly MadeCase[] {
  const chain = samplePath("nvidia/hopper-chain.txt");
  const options = ["--endorsements", chain, "--at", "2026-01-01T00:00:00Z"];
  const nonce = bindingOf(entry, "--nonce", "nonce");
  return [
    {
      argv: verifyLine(entry, "nvidia-gpu", ...options, ...nonce, "--waive", "gpu.revocation"),
      verdict: "affirmed",
      failed: [],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
    },
  ];
}

/** A result of another verifier. */
export function earCases(entry: IndexEntry): readonly MadeCase[] {
  const key = samplePath("ear/veraison-verifier.pub.jwk");
  const options = ["--endorsements", key, "--at", "2024-01-24T00:00:00Z"];
  return [
    {
      // It names no end of its validity.
      argv: verifyLine(entry, "ear", ...options, "--waive", "ear.expiry"),
      verdict: "affirmed",
      failed: [],
      ...(entry.claims === undefined ? {} : { claims: entry.claims }),
    },
  ];
}
