// What to do about a check that did not pass, in a sentence. The first that fits is told.
import type { Check } from "@holdfast/core";

type Advice = readonly [
  name: RegExp,
  outcome: "failed" | "not performed" | "either",
  advice: string,
];

const ADVICE: readonly Advice[] = [
  [
    /^evidence\./,
    "either",
    "see what it is with: holdfast evidence show FILE; other kinds are not judged here",
  ],
  [
    /\.format$/,
    "failed",
    "the file is cut short, altered, or of a version that is not known: fetch the evidence again",
  ],
  [
    /path\.anchor$/,
    "either",
    "no trusted root vouches for it: name a simulated or private root with --root, if you trust it",
  ],
  [
    /(?:\.validity|\.dates|\.time)$/,
    "either",
    "old evidence is judged at its own time with --at; fetch newer collateral for evidence of today",
  ],
  [
    /\.revocation$/,
    "not performed",
    "give the vendor's revocation lists with --endorsements, or do without them: --waive NAME",
  ],
  [
    /\.revocation$/,
    "failed",
    "a certificate was revoked, or its list is forged or old: fetch the list again before you decide",
  ],
  [
    /^(?:tcb-info|qe-identity)\./,
    "either",
    "give Intel's collateral of this platform and day with --endorsements",
  ],
  [
    /^tcb\.level$/,
    "failed",
    "the platform is below every level that Intel knows: its firmware must be updated",
  ],
  [
    /^tcb\./,
    "failed",
    "update the platform's firmware and microcode; or accept its state with --accept-tcb STATUS",
  ],
  [/^tcb\./, "not performed", "give Intel's collateral with --endorsements"],
  [
    /\.debug$/,
    "failed",
    "its owner can look inside: start it in production mode; for tests alone there is --allow-debug",
  ],
  [
    /\.lifecycle$/,
    "failed",
    "the device is not in its secured state; for tests alone there is --allow-debug",
  ],
  [
    /^expect\./,
    "failed",
    "something else runs there than you expect: send nothing to it until you know why",
  ],
  [
    /\.(?:nonce|report-data|user-data)$/,
    "failed",
    "it was made for somebody or something else, perhaps replayed: ask for fresh evidence",
  ],
  [
    /^(?:tpm\.ak|psa\.key|cca\.platform-key|ear\.key)$/,
    "not performed",
    "give the key you enrolled for it with --endorsements KEY, or, of a TPM, --expect akName=HEX",
  ],
  [/^tpm\.ak$/, "failed", "another key signed than the one you enrolled for this device"],
  [
    /^(?:snp\.leaf|pck\.|gpu\.leaf)/,
    "not performed",
    "give the certificate of the chip that signed with --endorsements",
  ],
  [/^snp\.vmpl$/, "either", "say which privilege level may ask for reports: --expect vmpl=N"],
  [
    /^tdx\.sept-ve$/,
    "not performed",
    "when the guest's kernel withstands virtualisation exceptions: --waive tdx.sept-ve",
  ],
  [
    /\.trailing$/,
    "failed",
    "something was put behind the signed structure: take it off, or refuse",
  ],
  [
    /^event-log\.proven$/,
    "not performed",
    "a log proves nothing alone: judge the quote of the same machine with --endorsements LOG",
  ],
  [
    /^event-log\./,
    "failed",
    "the log is not of this boot, or was altered: fetch log and quote together",
  ],
  [
    /^ear\.expiry$/,
    "either",
    "ask the verifier for a new result; one without an end is accepted with --waive ear.expiry",
  ],
  [/signature|binding|\.key$/, "failed", "it was altered, or another key signed it: refuse it"],
];

/** What to do; undefined when there is nothing better to say than the check's own reason. */
export function adviceFor({ name, outcome }: Check): string | undefined {
  const found = ADVICE.find(
    ([pattern, when]) => pattern.test(name) && (when === "either" || when === outcome),
  );
  return found?.[2].replace("NAME", name);
}
