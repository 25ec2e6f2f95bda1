// docs/reference/evidence.md: its tables, made of what the command answered about every sample.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { EvidenceAnswer } from "./evidence-answers.ts";
import { type PassedOver, shownPath } from "./evidence-cases.ts";

/** The page. */
export const EVIDENCE_PAGE: string = resolve(
  import.meta.dirname,
  "../../../../docs/reference/evidence.md",
);

const BEGIN = "<!-- made by tools/evidence-page.ts: do not edit by hand -->";
const END = "<!-- end -->";

/** The page as it should be: what stands around the tables is kept. */
export function evidencePage(
  answers: readonly EvidenceAnswer[],
  passedOver: readonly PassedOver[],
): string {
  const page = readFileSync(EVIDENCE_PAGE, "utf8");
  const [before = "", rest = ""] = page.split(BEGIN);
  const [, after = ""] = rest.split(END);
  const tables = [kindTable(answers), sampleTable(answers), passedOverTable(passedOver)];
  return `${before}${BEGIN}\n\n${tables.join("\n\n")}\n\n${END}${after}`;
}

/** Writes the page. */
export function writeEvidencePage(text: string): void {
  writeFileSync(EVIDENCE_PAGE, text);
}

/** One row a kind: how many samples and checks, and how they ended. */
function kindTable(answers: readonly EvidenceAnswer[]): string {
  const judged = answers.filter(({ each }) => each.verb === "verify");
  const kinds = Map.groupBy(judged, ({ type }) => type);
  const rows = [...kinds]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([kind, of]) => {
      const checks = new Set(of.flatMap((each) => each.checks.map(({ id }) => id)));
      const samples = new Set(of.map(({ each }) => each.argv[0]));
      const count = (verdict: string): number =>
        of.filter((each) => each.verdict === verdict).length;
      return [
        kind,
        samples.size,
        of.length,
        checks.size,
        count("affirmed"),
        count("refused"),
        count("not-judged"),
      ];
    });
  return table(
    ["type", "samples", "judgements", "checks", "affirmed", "refused", "not judged"],
    rows,
  );
}

/** One row a judgement. */
function sampleTable(answers: readonly EvidenceAnswer[]): string {
  const rows = answers.map((answer) => {
    const { each, type, verdict, checks, tcbStatus } = answer;
    const passed = checks.filter(({ outcome }) => outcome === "passed").length;
    const at = each.argv[each.argv.indexOf("--at") + 1] ?? "";
    return [
      `\`${shownPath(each.argv[0] ?? "")}\``,
      type,
      each.argv.includes("--at") ? at : "",
      each.verb === "show" ? "" : `${passed} of ${checks.length}`,
      verdict,
      tcbStatus ?? "",
      reasonOf(answer),
    ];
  });
  return table(
    [
      "sample",
      "type",
      "judged at",
      "passed",
      "result",
      "security version",
      "why not, or done without",
    ],
    rows,
  );
}

/** Names of the checks that refuse; else of those that leave the verdict open; else of those that were done without. */
function reasonOf({ each, checks, waived }: EvidenceAnswer): string {
  const named = (outcome: string): string[] =>
    checks.filter((check) => check.outcome === outcome).map(({ id }) => `\`${id}\``);
  const failed = named("failed");
  if (failed.length > 0) return failed.join(", ");
  const open = checks.filter(
    ({ id, outcome }) => outcome === "not performed" && !waived.includes(id),
  );
  if (open.length > 0) return open.map(({ id }) => `\`${id}\``).join(", ");
  const start = each.argv.indexOf("--waive");
  return start < 0 ? "" : `without \`${each.argv[start + 1]}\``;
}

function passedOverTable(passedOver: readonly PassedOver[]): string {
  return table(
    ["sample that is not judged", "why"],
    passedOver.map(({ id, why }) => [`\`${basename(id)}\``, why]),
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
