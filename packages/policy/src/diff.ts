// What a change of policy lets whom do, or no longer lets. Identities are the same when their certificates are, programs
// when their paths are; a number alone names nobody.

import { diffSettings } from "./diff-settings.ts";
import { type Verb, verbsAt } from "./evaluate.ts";
import { isStream } from "./path.ts";
import type { Policy } from "./policy.ts";
import { type Principal, phrase, placeAbove, placesOf, principalsOf } from "./principals.ts";

/** What a change does: more is possible, less is, or something is otherwise. */
export type Effect = "allows" | "forbids" | "changes";

/** One difference. */
export interface Change {
  readonly effect: Effect;
  /** `identity 1 (user)`, `program /p.wasm`, or the setting: `debug`. */
  readonly subject: string;
  readonly path?: string;
  readonly verbs?: readonly Verb[];
  readonly sentence: string;
}

/** How two policies differ. */
export interface PolicyDifference {
  /** Same text, so same hash; else a keep of one does not pass for a keep of the other. */
  readonly sameText: boolean;
  readonly changes: readonly Change[];
}

/** Compares two policies. */
export function diffPolicies(before: Policy, after: Policy): PolicyDifference {
  const old = new Map(principalsOf(before).map((each) => [keyOf(each), each]));
  const now = new Map(principalsOf(after).map((each) => [keyOf(each), each]));
  const places = placesOf(before, after);
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  return {
    sameText: before.text === after.text,
    changes: [
      ...keys.flatMap((key) => diffPrincipal(old.get(key), now.get(key), places)),
      ...diffSettings(before, after),
    ],
  };
}

function keyOf({ kind, key }: Principal): string {
  return `${kind} ${key}`;
}

function diffPrincipal(
  old: Principal | undefined,
  now: Principal | undefined,
  places: readonly string[],
): Change[] {
  const subject = (now ?? old)?.name ?? "";
  const presence: Change[] =
    old === undefined
      ? [{ effect: "allows", subject, sentence: `${subject} is new` }]
      : now === undefined
        ? [{ effect: "forbids", subject, sentence: `${subject} is gone` }]
        : old.name === now.name
          ? []
          : [{ effect: "changes", subject, sentence: `${old.name} is now ${now.name}` }];
  const at = new Map(places.map((path) => [path, verbChange(old, now, path)]));
  const known = new Set(places);
  return [
    ...presence,
    ...places.flatMap((path) => {
      const change = at.get(path);
      const above = at.get(placeAbove(path, known) ?? "");
      // What holds above holds here: said once.
      if (change === undefined || sameChange(change, above)) return [];
      return [
        ...verbChanges("allows", subject, path, change.gained),
        ...verbChanges("forbids", subject, path, change.lost),
      ];
    }),
  ];
}

interface VerbChange {
  readonly gained: readonly Verb[];
  readonly lost: readonly Verb[];
}

function verbChange(
  old: Principal | undefined,
  now: Principal | undefined,
  path: string,
): VerbChange {
  const had = old === undefined ? [] : verbsAt(old.rights, path);
  const has = now === undefined ? [] : verbsAt(now.rights, path);
  return {
    gained: has.filter((verb) => !had.includes(verb)),
    lost: had.filter((verb) => !has.includes(verb)),
  };
}

function sameChange(here: VerbChange, above: VerbChange | undefined): boolean {
  return (
    above !== undefined &&
    here.gained.join() === above.gained.join() &&
    here.lost.join() === above.lost.join()
  );
}

function verbChanges(
  effect: "allows" | "forbids",
  subject: string,
  path: string,
  verbs: readonly Verb[],
): Change[] {
  if (verbs.length === 0) return [];
  const where = isStream(path) ? path : `at and below ${path}`;
  const may = effect === "allows" ? "may now" : "may no longer";
  const sentence = `${subject} ${may} ${phrase(verbs, path)} ${where}`;
  return [{ effect, subject, path, verbs, sentence }];
}
