// Guards the direction of imports: which room may import which, as ARCHITECTURE.md says it. Imports point down,
// apps never import each other, a package is entered by its door, and packages/policy, evidence and core stay pure.
// What is inside the keep is an allowlist: apps/keep/allowlist.json names every package with a reason.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

/** Own packages that each room may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  policy: ["core"],
  evidence: ["core"],
  store: ["core"],
  contract: ["core"],
  oci: ["core"],
  attester: ["core", "evidence"],
  wasi: ["core", "policy"],
  channel: ["core", "policy", "evidence"],
  testkit: ["core", "policy", "evidence", "attester", "channel", "contract", "store", "wasi"],
  keep: ["core", "policy", "evidence", "attester", "wasi", "channel", "oci"],
  trust: ["core", "evidence", "channel", "contract"],
  control: ["core", "policy", "contract", "channel", "store", "oci"],
  cli: ["core", "policy", "contract", "channel", "evidence", "attester", "wasi"],
};
/** Rooms that run in a browser too: nothing of Node's. Type-only imports vanish and do not count. */
const PURE = new Set(["core", "policy", "evidence", "contract"]);
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*"([^"]+)"/g;

const faults = roomFiles().flatMap(checkFile).concat(checkKeepAllowlist());
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log("layers: imports point down");

function roomFiles(): string[] {
  return globSync(["packages/*/src/**/*.ts", "apps/*/src/**/*.ts"], { cwd: ROOT });
}

function checkFile(file: string): string[] {
  const [floor, room = ""] = file.split("/");
  const isTest = file.endsWith(".test.ts") || file.includes("/testing/");
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return [`${file}: room ${room} is not in tools/check-layers.ts`];
  const text = readFileSync(join(ROOT, file), "utf8");
  const declared = declaredDependencies(`${floor}/${room}`, isTest);
  return importsOf(text).flatMap((target) => {
    if (target.startsWith(".")) return leavesRoom(file, target, `${floor}/${room}`);
    if (target.startsWith("node:")) {
      return PURE.has(room) && !isTest ? [`${file}: ${room} is pure, but imports ${target}`] : [];
    }
    const name = packageName(target);
    if (name !== target && name.startsWith("@holdfast/"))
      return [`${file}: ${target} goes past a door`];
    const own = /^@holdfast\/(.+)$/.exec(name)?.[1];
    if (own !== undefined && own !== room && !isTest && !allowed.includes(own)) {
      return [`${file}: ${room} may not import ${own}`];
    }
    return declared.has(name) || own === room
      ? []
      : [`${file}: ${name} is not declared in package.json`];
  });
}

function importsOf(text: string): string[] {
  return [IMPORT, DYNAMIC_IMPORT].flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap(([, target]) => (target === undefined ? [] : [target])),
  );
}

function leavesRoom(file: string, target: string, room: string): string[] {
  const reached = relative(ROOT, resolve(ROOT, dirname(file), target));
  return reached.startsWith(`${room}/`) ? [] : [`${file}: ${target} leaves its room`];
}

function declaredDependencies(room: string, isTest: boolean): Set<string> {
  const own = readPackage(join(room, "package.json"));
  const root = isTest ? Object.keys(readPackage("package.json").devDependencies ?? {}) : [];
  return new Set([
    ...Object.keys(own.dependencies ?? {}),
    ...(isTest ? Object.keys(own.devDependencies ?? {}) : []),
    ...root,
    ...(isTest ? ["@holdfast/testkit"] : []),
  ]);
}

function checkKeepAllowlist(): string[] {
  const file = join(ROOT, "apps/keep/allowlist.json");
  if (!existsSync(file)) return ["apps/keep/allowlist.json is missing"];
  const allowlist = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  const declared = Object.keys(readPackage("apps/keep/package.json").dependencies ?? {});
  return [
    ...declared
      .filter((name) => !allowlist[name])
      .map(
        (name) => `apps/keep depends on ${name}, which its allowlist does not name with a reason`,
      ),
    ...Object.keys(allowlist)
      .filter((name) => !declared.includes(name))
      .map((name) => `apps/keep/allowlist.json names ${name}, which the keep does not depend on`),
  ];
}

function readPackage(path: string): {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
} {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8"));
}

function packageName(target: string): string {
  const parts = target.split("/");
  return target.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? target);
}
