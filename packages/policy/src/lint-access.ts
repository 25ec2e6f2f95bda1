// Warnings about rights: programs that can be exchanged, files that can't get in, results that can't get out.
import { verbsAt } from "./evaluate.ts";
import type { Warning } from "./lint.ts";
import { isStream } from "./path.ts";
import type { Policy } from "./policy.ts";
import {
  enumerate,
  mayFetch,
  maySupply,
  type Principal,
  placesOf,
  principalsOf,
} from "./principals.ts";
import { RIGHTS, rightsNames } from "./rights.ts";

/** Warns of rights. */
export function lintAccess(policy: Policy): Warning[] {
  const principals = principalsOf(policy);
  return [
    ...policy.programs.flatMap(({ path }, index) =>
      lintProgram(path, `/programs/${index}/program_file_name`, principals, policy),
    ),
    ...lintPins(policy, principals),
    ...principals.flatMap((principal) => lintEntries(principal)),
    ...policy.programs.flatMap((program, index) =>
      lintSpelling(policy, program, `/programs/${index}/file_rights`),
    ),
    ...lintFlow(policy, principals),
  ];
}

function lintProgram(
  path: string,
  pointer: string,
  principals: readonly Principal[],
  policy: Policy,
): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string) => warnings.push({ code, pointer, message });
  const pinned = policy.fileHashes.has(path);
  const writers = principals.filter(({ rights }) => maySupply(rights, path));
  const programs = writers.filter(({ kind }) => kind === "program");
  if (!pinned) warn("PROGRAM_UNPINNED", `${path} has no hash: any program of that name would run`);
  if (!pinned && writers.length > 0) {
    warn("PROGRAM_WRITABLE", `${path} can be exchanged by ${names(writers)}: pin its hash`);
  } else if (programs.length > 0) {
    warn("PROGRAM_WRITABLE", `${path} can be overwritten by ${names(programs)} as it runs`);
  }
  if (!writers.some(({ kind }) => kind === "identity") && !isFetched(policy, path)) {
    warn("PROGRAM_NOT_LOADABLE", `nobody may put ${path} in`);
  }
  const starts = ({ kind, rights }: Principal) =>
    kind === "identity" && verbsAt(rights, path).includes("execute");
  if (!principals.some(starts)) warn("PROGRAM_NOT_RUNNABLE", `nobody may run ${path}`);
  return warnings;
}

function lintPins(policy: Policy, principals: readonly Principal[]): Warning[] {
  const programs = new Set(policy.programs.map(({ path }) => path));
  return [...policy.fileHashes.keys()].flatMap((path, index): Warning[] => {
    const loadable = principals.some(
      ({ kind, rights }) => kind === "identity" && maySupply(rights, path),
    );
    if (loadable || programs.has(path) || isFetched(policy, path)) return [];
    const pointer = `/file_hashes/${index}/file_path`;
    return [{ code: "PIN_NOT_LOADABLE", pointer, message: `nobody may put ${path} in` }];
  });
}

function lintEntries({ name, rights, pointer, kind }: Principal): Warning[] {
  return [...rights].flatMap(([path, bits], index): Warning[] => {
    const at = `${pointer}/file_rights/${index}`;
    const verbs = verbsAt(rights, path);
    if (verbs.length === 0 && bits !== 0) {
      const message = `${name}: ${enumerate(rightsNames(bits))} alone allows nothing at ${path}`;
      return [{ code: "RIGHTS_WITHOUT_EFFECT", pointer: at, message }];
    }
    if (path === "/" && kind === "identity" && maySupply(rights, path)) {
      const message = `${name} may write everywhere that no nearer entry of its own covers`;
      return [{ code: "RIGHTS_EVERYWHERE", pointer: at, message }];
    }
    return [];
  });
}

/** An entry without a slash is a file, where there is no directory of that name already. */
function lintSpelling(
  { fileHashes }: Policy,
  { path: program, rights, directories }: Policy["programs"][number],
  pointer: string,
): Warning[] {
  return [...rights].flatMap(([path, bits], index): Warning[] => {
    const creates = (bits & (RIGHTS.path_create_file | RIGHTS.path_create_directory)) !== 0;
    const isFile = isStream(path) || fileHashes.has(path) || /\.[^/]*$/.test(path);
    if (!creates || isFile || directories.includes(path)) return [];
    const message = `${path} is a file to program ${program}: write ${path}/ for a directory to put files in`;
    return [{ code: "DIRECTORY_WITHOUT_SLASH", pointer: `${pointer}/${index}`, message }];
  });
}

function lintFlow(policy: Policy, principals: readonly Principal[]): Warning[] {
  const identities = principals.filter(({ kind }) => kind === "identity");
  const programs = principals.filter(({ kind }) => kind === "program");
  const places = placesOf(policy);
  return programs.flatMap((program) =>
    [...program.rights.keys()].flatMap((path, index): Warning[] => {
      const pointer = `${program.pointer}/file_rights/${index}`;
      const below = places.filter((place) => place === path || isBelow(place, path));
      const any = (group: readonly Principal[], may: typeof mayFetch) =>
        group.some(({ rights }) => below.some((place) => may(rights, place)));
      // What a program may read back as well is its scratch space; nobody needs to read that.
      const readBack = any(programs, mayFetch);
      if (maySupply(program.rights, path) && !readBack && !any(identities, mayFetch)) {
        const message = `nobody may read what ${program.name} writes to ${path}`;
        return [{ code: "OUTPUT_UNREADABLE", pointer, message }];
      }
      const fetched = below.some((place) => isFetched(policy, place));
      const supplied = fetched || any(identities, maySupply) || any(programs, maySupply);
      if (mayFetch(program.rights, path) && !supplied && !isStream(path)) {
        const message = `nobody may supply what ${program.name} reads from ${path}`;
        return [{ code: "INPUT_UNSUPPLIED", pointer, message }];
      }
      return [];
    }),
  );
}

function isFetched({ terms }: Policy, path: string): boolean {
  return terms.inputs.some((input) => input.path === path);
}

function isBelow(place: string, path: string): boolean {
  return place.startsWith(path === "/" ? "/" : `${path}/`);
}

function names(principals: readonly Principal[]): string {
  return enumerate(principals.map(({ name }) => name));
}
