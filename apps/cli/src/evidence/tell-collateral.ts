// A bundle of vendors' documents for people: what is in it, and from when until when each holds.
import { HoldfastError, parseCertificate, parseRevocationList } from "@holdfast/core";
import type { BundleItem } from "@holdfast/evidence";
import type { Context } from "../context.ts";
import type { MovedCollateral } from "./collateral-bundle.ts";

/** Tells what was moved, or stands in a bundle. */
export function tellCollateral({ terminal }: Context, said: string, moved: MovedCollateral): void {
  const { path, made, items, ignored } = moved;
  terminal.line(`${said} ${path}: ${items.length} documents, bundled ${made.toISOString()}`);
  terminal.line(
    terminal.paint("warn", "not judged: each counts only under a trusted root, when it is used"),
  );
  const told = items.map((item) => ({
    kind: item.kind,
    what: item.what,
    sha256: item.sha256,
    ...windowOf(item),
  }));
  for (const { kind, what, validFrom, validUntil } of told) {
    const window = validFrom === null ? "" : ` (${validFrom} to ${validUntil})`;
    terminal.line(`  ${kind.padEnd(15)} ${what.replaceAll(/[^\x20-\x7e]/g, "?")}${window}`);
  }
  for (const { name, reason } of ignored) terminal.line(`  left out        ${name}: ${reason}`);
  terminal.result({ ok: true, path, made: made.toISOString(), items: told, ignored });
}

interface Window {
  readonly validFrom: string | null;
  readonly validUntil: string | null;
}

function windowOf({ kind, bytes }: BundleItem): Window {
  try {
    const [from, until] = datesOf(kind, bytes);
    return { validFrom: from, validUntil: until };
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError || thrown instanceof SyntaxError)) throw thrown;
    // A document without dates is told as it is.
    return { validFrom: null, validUntil: null };
  }
}

function datesOf(kind: BundleItem["kind"], bytes: Uint8Array): [string, string] {
  switch (kind) {
    case "certificate": {
      const { notBefore, notAfter } = parseCertificate(bytes);
      return [notBefore.toISOString(), notAfter.toISOString()];
    }
    case "revocation-list": {
      const { thisUpdate, nextUpdate } = parseRevocationList(bytes);
      return [thisUpdate.toISOString(), nextUpdate.toISOString()];
    }
    case "intel-document": {
      const { tcb_info: text } = JSON.parse(new TextDecoder().decode(bytes));
      const { issueDate, nextUpdate } = JSON.parse(String(text));
      return [String(issueDate), String(nextUpdate)];
    }
  }
}
