// Takes one check out of the verifiers while they run: every check is made by two functions of packages/core, which this
// hook rewrites as they are loaded. Import it before anything of Holdfast. For the proof that each check counts.
import { registerHooks } from "node:module";

/** What the rewritten functions ask. */
export interface Interference {
  /** Name of the check to change, as core knows it: without the prefix of a second path. */
  name: string | undefined;
  /** `disabled`: passes whatever it found. `skipped`: is never performed. */
  how: "disabled" | "skipped";
}

export const interference: Interference = { name: undefined, how: "disabled" };

const FILE = "/packages/core/src/verdict.ts";
const REWRITES: readonly (readonly [from: string, to: string])[] = [
  [
    'return { name, outcome: holds ? "passed" : "failed", detail };',
    'return { name, outcome: globalThis.interfere(name, holds ? "passed" : "failed"), detail };',
  ],
  [
    'return { name, outcome: "not performed", detail };',
    'return { name, outcome: globalThis.interfere(name, "not performed"), detail };',
  ],
];

function interfere(name: string, outcome: string): string {
  if (name !== interference.name) return outcome;
  return interference.how === "disabled" ? "passed" : "not performed";
}

Object.assign(globalThis, { interfere });
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(FILE)) return loaded;
    let source = String(loaded.source);
    for (const [from, to] of REWRITES) {
      if (!source.includes(from)) throw new Error(`${url} no longer says: ${from}`);
      source = source.replace(from, to);
    }
    return { ...loaded, source };
  },
});

/** Runs something with one check changed. */
export async function interfering<T>(
  how: Interference["how"],
  name: string,
  run: () => Promise<T>,
): Promise<T> {
  Object.assign(interference, { how, name });
  try {
    return await run();
  } finally {
    interference.name = undefined;
  }
}
