// What a policy means: who may do what to which path, and what of whom reaches whom. As data and in words.
import { type Verb, verbsAt } from "./evaluate.ts";
import { explainTerms } from "./explain-terms.ts";
import { isStream } from "./path.ts";
import type { Dialect, Policy } from "./policy.ts";
import {
  enumerate,
  mayFetch,
  maySupply,
  type Principal,
  phrase,
  placesOf,
  principalsOf,
} from "./principals.ts";
import { type RightName, rightsNames } from "./rights.ts";
import type { RightsTable } from "./rights-table.ts";

/** One entry of a principal. */
export interface Grant {
  readonly path: string;
  readonly verbs: readonly Verb[];
  readonly rights: readonly RightName[];
  /** Entries of the same principal below this one; there this one says nothing. */
  readonly except: readonly string[];
  readonly sentence: string;
}

/** A principal with its entries. */
export interface ExplainedPrincipal {
  readonly kind: "identity" | "program";
  readonly id: number;
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** A path with everybody who may do something there. */
export interface ExplainedPath {
  readonly path: string;
  /** SHA-256 that a file of this name must have. */
  readonly pinned?: string;
  readonly access: readonly { readonly name: string; readonly verbs: readonly Verb[] }[];
}

/** What goes through a program: from identities and programs, to identities and programs. */
export interface Flow {
  readonly program: string;
  readonly startedBy: readonly string[];
  readonly inputs: readonly { readonly path: string; readonly from: readonly string[] }[];
  readonly outputs: readonly { readonly path: string; readonly to: readonly string[] }[];
}

/** A policy in its meaning. */
export interface Explanation {
  readonly dialect: Dialect;
  readonly principals: readonly ExplainedPrincipal[];
  readonly paths: readonly ExplainedPath[];
  readonly flows: readonly Flow[];
  /** Platform, dates, limits and the rest, a sentence each. */
  readonly settings: readonly string[];
}

/** Explains a policy. */
export function explainPolicy(policy: Policy): Explanation {
  const principals = principalsOf(policy);
  const places = placesOf(policy);
  return {
    dialect: policy.dialect,
    principals: principals.map(({ kind, id, name, rights }) => ({
      kind,
      id,
      name,
      grants: [...rights.keys()].sort().map((path) => explainGrant(rights, path)),
    })),
    paths: places.map((path) => explainPath(path, principals, policy)),
    flows: policy.programs.map(({ path }) => flowThrough(path, principals, places, policy)),
    settings: [...explainSettings(policy), ...explainTerms(policy)],
  };
}

/** An explanation as lines of text. */
export function explanationLines(explanation: Explanation): string[] {
  return [
    ...explanation.principals.flatMap(({ name, grants }) => [
      grants.length === 0 ? `${name} may do nothing` : name,
      ...grants.map(({ sentence }) => `  ${sentence}`),
    ]),
    ...explanation.flows.flatMap(flowLines),
    ...explanation.settings,
  ];
}

function explainGrant(rights: Principal["rights"], path: string): Grant {
  const verbs = verbsAt(rights, path);
  const names = rightsNames(rights.get(path) ?? 0);
  const within = path === "/" ? "/" : `${path}/`;
  const except = [...rights.keys()].filter((other) => other !== path && other.startsWith(within));
  const may =
    verbs.length > 0
      ? `may ${phrase(verbs, path)}`
      : names.length > 0
        ? `may do nothing: ${enumerate(names)} alone allows nothing`
        : "may do nothing";
  const where = isStream(path) ? path : `at and below ${path}`;
  const but = except.length > 0 ? `, save ${enumerate(except.sort())}` : "";
  return { path, verbs, rights: names, except, sentence: `${where}${but}: ${may}` };
}

function explainPath(
  path: string,
  principals: readonly Principal[],
  policy: Policy,
): ExplainedPath {
  const pinned = policy.fileHashes.get(path);
  const access = principals
    .map(({ name, rights }) => ({ name, verbs: verbsAt(rights, path) }))
    .filter(({ verbs }) => verbs.length > 0);
  return { path, ...(pinned === undefined ? {} : { pinned }), access };
}

function flowThrough(
  path: string,
  principals: readonly Principal[],
  places: readonly string[],
  { terms }: Policy,
): Flow {
  const program = principals.find(({ kind, key }) => kind === "program" && key === path);
  const rights: RightsTable = program?.rights ?? new Map();
  const named = (holds: (principal: Principal) => boolean) =>
    principals.filter(holds).map(({ name }) => name);
  const fetched = (place: string) =>
    terms.inputs
      .filter((input) => input.path === place)
      .map(({ source }) => `the keep from ${source}`);
  return {
    program: path,
    startedBy: named((each) => each.kind === "identity" && mayRun(each, path)),
    inputs: places
      .filter((place) => mayFetch(rights, place))
      .map((place) => ({
        path: place,
        from: [...fetched(place), ...named((each) => maySupply(each.rights, place))],
      })),
    outputs: places
      .filter((place) => maySupply(rights, place))
      .map((place) => ({ path: place, to: named((each) => mayFetch(each.rights, place)) })),
  };
}

function mayRun({ rights }: Principal, path: string): boolean {
  return verbsAt(rights, path).includes("execute");
}

function flowLines({ program, startedBy, inputs, outputs }: Flow): string[] {
  const whom = (names: readonly string[]) => (names.length === 0 ? "nobody" : enumerate(names));
  return [
    `${program} is run by ${whom(startedBy)}`,
    ...inputs.map(({ path, from }) => `  reads ${path}, supplied by ${whom(from)}`),
    ...outputs.map(({ path, to }) => `  writes ${path}, read by ${whom(to)}`),
  ];
}

function explainSettings(policy: Policy): string[] {
  const measured = Object.entries(policy.measurements);
  const { host, port } = policy.serverUrl;
  return [
    measured.length === 0
      ? "no platform measurement is named: no keep can be checked against this policy"
      : `runs only on ${enumerate(measured.map(([name, value]) => `${name} measured ${value}`))}`,
    `serves at ${host}:${port} over ${policy.ciphersuite}, attested through ${policy.attestation.url}`,
    `holds until ${policy.certificateExpiry.toISOString()}`,
    `programs get up to ${policy.maxMemoryMib} MiB of memory and ${policy.enableClock ? "a" : "no"} clock`,
    ...(policy.debug ? ["debug is asked for"] : []),
    ...(policy.unknownMembers.length === 0
      ? []
      : [`not read: ${enumerate(policy.unknownMembers)}`]),
  ];
}
