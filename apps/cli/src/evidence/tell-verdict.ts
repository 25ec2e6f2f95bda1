// A verdict for people: what the platform is, what runs there, every check, and what to do about those that did not pass.
import { type Check, unmet } from "@holdfast/core";
import type { Appraisal, Verdict } from "@holdfast/evidence";
import type { Context } from "../context.ts";
import type { Tone } from "../terminal/terminal.ts";
import { adviceFor } from "./advice.ts";
import type { JudgedFile } from "./judge-file.ts";
import { tellClaims } from "./tell-claims.ts";
import { TYPE_IN_WORDS } from "./type-names.ts";

const VERDICTS: Readonly<Record<Verdict, readonly [Tone, string]>> = {
  affirmed: ["good", "AFFIRMED"],
  refused: ["bad", "REFUSED"],
  "not-judged": ["warn", "NOT JUDGED: nothing failed, but a check that counts could not be made"],
};
const TONES: Readonly<Record<Check["outcome"], Tone>> = {
  passed: "good",
  failed: "bad",
  "not performed": "dim",
};

/** Folders may hold much that is no endorsement. */
const SHOWN_IGNORED = 8;

/** Tells a verdict. */
export function tellVerdict(context: Context, judged: JudgedFile): void {
  const { terminal } = context;
  const { appraisal, description, endorsements, path } = judged;
  const [tone, word] = VERDICTS[appraisal.verdict];
  const kind = description === undefined ? appraisal.type : TYPE_IN_WORDS[description.type];
  terminal.line(`${path}: ${kind}`);
  terminal.line(`verdict: ${terminal.paint(tone, word)}, platform ${platformOf(appraisal)}`);
  tellState(context, appraisal);
  const claims = appraisal.claims ?? description?.claims;
  if (claims !== undefined) {
    const proven = appraisal.claims !== undefined && appraisal.platform !== "unknown";
    terminal.line();
    terminal.line(
      proven ? "What runs there" : terminal.paint("warn", "What it says, proven by nothing"),
    );
    tellClaims(terminal, claims);
  }
  terminal.line();
  terminal.line("Checks");
  for (const each of appraisal.checks) {
    const waived = each.outcome === "not performed" && appraisal.waived.includes(each.name);
    const outcome = waived ? "not asked for" : each.outcome;
    const painted = terminal.paint(TONES[each.outcome], outcome.padEnd(13));
    terminal.line(`  ${painted} ${each.name}: ${each.detail}`);
  }
  tellAdvice(context, appraisal);
  const ignored = endorsements.ignored.filter(
    ({ name }) => !endorsements.parts.some((part) => part.name === name),
  );
  for (const { name, reason } of ignored.slice(0, SHOWN_IGNORED)) {
    terminal.note(`not used: ${name}: ${reason}`);
  }
  const more = ignored.length - SHOWN_IGNORED;
  if (more > 0) terminal.note(`not used: ${more} files more; --json lists them all`);
}

function platformOf({ platform, simulated }: Appraisal): string {
  if (simulated) return `${platform}, SIMULATED: software alone stands behind it`;
  return platform === "unknown" ? "unknown: nothing trusted stands behind it" : platform;
}

function tellState({ terminal }: Context, appraisal: Appraisal): void {
  const { debug, tcbStatus, advisoryIds, validFrom, validUntil, at } = appraisal;
  if (debug === true) terminal.line(terminal.paint("bad", "debug: YES, its owner can look inside"));
  if (debug === false) terminal.line("debug: no");
  if (tcbStatus !== undefined) {
    const known = advisoryIds.length === 0 ? "" : ` (${advisoryIds.join(", ")})`;
    terminal.line(`security version: ${tcbStatus}${known}`);
  }
  terminal.line(`judged at: ${instant(at)}`);
  if (validFrom !== undefined && validUntil !== undefined) {
    terminal.line(`the same verdict from ${instant(validFrom)} until ${instant(validUntil)}`);
  }
}

function tellAdvice({ terminal }: Context, appraisal: Appraisal): void {
  const open = unmet(appraisal.checks).filter(
    ({ name, outcome }) => outcome === "failed" || !appraisal.waived.includes(name),
  );
  const told = new Set<string>();
  for (const each of open) {
    const advice = adviceFor(each);
    if (advice === undefined || told.has(advice)) continue;
    if (told.size === 0) {
      terminal.line();
      terminal.line("What to do");
    }
    told.add(advice);
    terminal.line(`  ${each.name}: ${advice}`);
  }
}

/** A time; what can't be one is said so: dates inside hostile evidence may be none. */
function instant(date: Date): string {
  return Number.isNaN(date.getTime()) ? "no time" : date.toISOString();
}
