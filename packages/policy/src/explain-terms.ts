// The terms beyond Veracruz in words, a sentence each; comparing two policies uses the same words.
import type { Policy } from "./policy.ts";
import { enumerate, principalsOf } from "./principals.ts";

/** A sentence for each term. */
export function explainTerms(policy: Policy): string[] {
  const { terms } = policy;
  const name = namer(policy);
  return [
    ...explainPrograms(policy),
    ...explainLimits(policy),
    ...terms.requiredInputs.map((path) => `no run starts before ${path} is there`),
    ...terms.inputs.map(({ path, source, sha256, size, key }) => {
      const opened = key === undefined ? "" : `, opened with key ${key}`;
      return `${path} is fetched by the keep from ${source}: ${size} bytes with hash ${sha256}${opened}; no run starts before`;
    }),
    ...terms.readLimits.map(({ path, identities, times }) => {
      const who = identities === undefined ? "whoever has the right" : everyone(identities, name);
      const often =
        times === undefined ? "" : `, ${times} ${times === 1 ? "time" : "times"} in all`;
      return `${path} may be read out by ${who}${often}`;
    }),
    ...(terms.consent.length === 0
      ? []
      : [`data is taken only once ${everyone(terms.consent, name)} signed the policy hash`]),
    terms.shutdown === undefined
      ? "any identity may shut the keep down"
      : `${everyone(terms.shutdown, name)} may shut the keep down`,
    ...(terms.keepPartialOutput ? ["output of runs that fail is kept"] : []),
  ];
}

function explainPrograms({ terms }: Policy): string[] {
  return [...terms.programs].flatMap(([path, { arguments: list, environment }]) => [
    ...(list.length === 0 ? [] : [`${path} gets the arguments ${JSON.stringify(list)}`]),
    ...Object.entries(environment).map(
      ([variable, value]) => `${path} sees ${variable}=${JSON.stringify(value)}`,
    ),
  ]);
}

function explainLimits({ terms: { limits } }: Policy): string[] {
  const { wallTimeMs, storageMib, memoryMib, runs, outputBytes } = limits;
  return [
    ...(wallTimeMs === undefined ? [] : [`a run ends after ${wallTimeMs} ms`]),
    ...(storageMib === undefined ? [] : [`files take up to ${storageMib} MiB`]),
    ...(memoryMib === undefined ? [] : [`files and all runs at once take up to ${memoryMib} MiB`]),
    ...(runs === undefined ? [] : [`${runs} ${runs === 1 ? "run is" : "runs are"} allowed`]),
    ...(outputBytes === undefined ? [] : [`a run writes up to ${outputBytes} bytes`]),
  ];
}

function namer(policy: Policy): (id: number) => string {
  const names = new Map(
    principalsOf(policy)
      .filter(({ kind }) => kind === "identity")
      .map(({ id, name }) => [id, name]),
  );
  return (id) => names.get(id) ?? `identity ${id}`;
}

function everyone(ids: readonly number[], name: (id: number) => string): string {
  return ids.length === 0 ? "nobody" : enumerate(ids.map(name));
}
