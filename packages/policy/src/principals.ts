// Whom a policy speaks of, and which places: what explaining, warning and comparing have in common.
import { nameAttribute, parseCertificate, toHex } from "@holdfast/core";
import { type Verb, verbsAt } from "./evaluate.ts";
import { ancestors, isStream } from "./path.ts";
import type { Policy } from "./policy.ts";
import type { RightsTable } from "./rights-table.ts";

/** An identity or a program, named for people. */
export interface Principal {
  readonly kind: "identity" | "program";
  /** The same in two policies when it is the same certificate, or the same program path. */
  readonly key: string;
  readonly id: number;
  /** `identity 1 (user)`, `program /program/detector.wasm`. */
  readonly name: string;
  /** Where it stands in the policy, a JSON pointer. */
  readonly pointer: string;
  readonly rights: RightsTable;
}

/** Identities, then programs, in the order of the policy. */
export function principalsOf(policy: Policy): Principal[] {
  return [
    ...policy.identities.map(({ id, certificateDer, rights }, index): Principal => {
      const { subject } = parseCertificate(certificateDer);
      const common = printable(nameAttribute(subject, "CN") ?? subject.text);
      return {
        kind: "identity",
        key: toHex(certificateDer),
        id,
        name: common === "" ? `identity ${id}` : `identity ${id} (${common})`,
        pointer: `/identities/${index}`,
        rights,
      };
    }),
    ...policy.programs.map(({ id, path, rights }, index): Principal => {
      const pointer = `/programs/${index}`;
      return { kind: "program", key: path, id, name: `program ${path}`, pointer, rights };
    }),
  ];
}

/**
 * Every path that any rule of the policies speaks of, sorted. Between them nothing differs: what is allowed at a path is
 * what is allowed at the nearest of these at or above it.
 */
export function placesOf(...policies: readonly Policy[]): string[] {
  const places = policies.flatMap((policy) => [
    ...policy.identities.flatMap(({ rights }) => [...rights.keys()]),
    ...policy.programs.flatMap(({ path, rights }) => [path, ...rights.keys()]),
    ...policy.fileHashes.keys(),
  ]);
  return [...new Set(places)].sort();
}

/** The nearest other place above a path. */
export function placeAbove(path: string, places: ReadonlySet<string>): string | undefined {
  return ancestors(path)
    .slice(1)
    .find((above) => places.has(above));
}

/** Whether one may put bytes at a path. */
export function maySupply(table: RightsTable, path: string): boolean {
  return verbsAt(table, path).some((verb) => SUPPLYING.has(verb));
}

/** Whether one may read bytes at a path. */
export function mayFetch(table: RightsTable, path: string): boolean {
  return verbsAt(table, path).includes("read");
}

/** Verbs as a phrase: `read files and list`. */
export function phrase(verbs: readonly Verb[], path: string): string {
  return enumerate(verbs.map((verb) => (isStream(path) ? STREAM_WORDS : WORDS)[verb]));
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const SUPPLYING: ReadonlySet<Verb> = new Set(["append", "replace", "create"]);
const WORDS: Readonly<Record<Verb, string>> = {
  read: "read files",
  list: "list",
  append: "append to files",
  replace: "replace files",
  create: "create files",
  delete: "delete files",
  execute: "run programs",
};
const STREAM_WORDS: Readonly<Record<Verb, string>> = { ...WORDS, read: "read", append: "write" };

/** A certificate's owner chose this text: nothing in it may move the cursor of who reads it. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?").slice(0, 64);
}
