// An audit for people: whether the log is whole, which decisions were wrong, and what would differ at another time.
import { createHash } from "node:crypto";
import type { Context } from "../context.ts";
import type { Audit, AuditedDecision } from "./audit-log.ts";

/** Checks whose change only says that time has passed. */
const AGE: ReadonlySet<string> = new Set([
  "nitro.time",
  "path.validity",
  "pck.path.validity",
  "tcb-info.dates",
  "qe-identity.dates",
]);

/** Tells an audit. */
export function tellAudit({ terminal }: Context, { chain, decisions, roots, holds }: Audit): void {
  for (const { name, outcome, detail } of chain.checks) {
    const tone = outcome === "passed" ? "good" : "bad";
    terminal.line(`${terminal.paint(tone, outcome.padEnd(13))} ${name}: ${detail}`);
  }
  for (const decision of decisions) {
    const { contradictions, unrepeatable, damage } = decision;
    if (damage !== undefined) {
      terminal.line(`${terminal.paint("bad", "damaged")}       ${labelOf(decision)}: ${damage}`);
    }
    for (const { name, before, after, detail } of contradictions) {
      terminal.line(
        `${terminal.paint("bad", "contradicted")}  ${labelOf(decision)}: ${name} is recorded as ${before}, but is ${after}: ${detail}`,
      );
    }
    if (unrepeatable !== undefined) {
      terminal.line(
        `${terminal.paint("warn", "not repeated")}  ${labelOf(decision)}: ${unrepeatable}`,
      );
    }
  }
  for (const { subject } of roots) {
    terminal.line(
      `${terminal.paint("warn", "rests on")}      ${printable(subject.text)}, a root that the service was told to accept`,
    );
  }
  tellChanges(terminal.line.bind(terminal), decisions);
  terminal.line(`head: ${chain.head}`);
  terminal.line(
    holds
      ? `${decisions.length} decisions, each the same when judged again at its own time`
      : terminal.paint("bad", "the log does not hold"),
  );
  terminal.result({
    ok: holds,
    count: chain.count,
    head: chain.head,
    log: chain.checks,
    roots: roots.map(({ subject, der }) => ({
      subject: subject.text,
      sha256: createHash("sha256").update(der).digest("hex"),
    })),
    decisions,
  });
}

function tellChanges(line: (text: string) => void, decisions: readonly AuditedDecision[]): void {
  const byName = new Map<string, { count: number; example: string }>();
  for (const { changes, sequence } of decisions) {
    for (const { name, before, after, detail } of changes) {
      const known = byName.get(name);
      const example = `decision ${sequence}: ${before} then, ${after} now: ${detail}`;
      byName.set(name, { count: (known?.count ?? 0) + 1, example: known?.example ?? example });
    }
  }
  for (const [name, { count, example }] of byName) {
    const why = AGE.has(name) ? " (evidence and certificates grow old)" : "";
    line(`would differ   ${name} in ${count} decisions${why}, ${example}`);
  }
}

function labelOf({ sequence, kind, outcome, time }: AuditedDecision): string {
  return `decision ${sequence} (${kind}, ${outcome}, ${time})`;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}
