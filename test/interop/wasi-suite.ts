// The public suite WebAssembly/wasi-testsuite, run over `holdfast wasm run`. The suite is not part of this project: fetch
// it beside the repository (its branches prod/testsuite-base and prod/testsuite-all hold the compiled tests), then
//   node test/interop/wasi-suite.ts ../wasi-testsuite
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const CLI = join(ROOT, "apps/cli/src/main.ts");

/** One test of the suite. The older generation lists `dirs` by their own names, the newer has one `root`. */
export interface SuiteCase {
  readonly module: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directories: readonly { readonly from: string; readonly guest: string }[];
  readonly exitCode: number;
  readonly stdout?: string;
}

/** All Preview 1 tests below a checkout of the suite. */
export function suiteCases(suite: string): SuiteCase[] {
  const modules = globSync("tests/*/testsuite/wasm32-wasip1/*.wasm", { cwd: suite }).sort();
  return modules.map((module) => readCase(join(suite, module)));
}

/** The command line: given its words, how it ends and what it prints. */
export type CommandLine = (words: readonly string[]) => Promise<{
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}>;

/** The command line in a process of its own, as a user has it. */
const ownProcess: CommandLine = async (words) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
};

/** Runs a test over the command line. @returns why it failed; undefined when it passed */
export async function runCase(
  test: SuiteCase,
  commandLine: CommandLine,
): Promise<string | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), "holdfast-suite-"));
  try {
    const directories = test.directories.flatMap(({ from, guest }) => {
      const host = join(scratch, basename(from));
      cpSync(from, host, { recursive: true });
      return ["--dir", `${host}::${guest}`];
    });
    const environment = Object.entries(test.environment).flatMap(([name, value]) => [
      "--env",
      `${name}=${value}`,
    ]);
    const words = [...directories, ...environment, test.module, "--", ...test.arguments];
    const { code, stdout, stderr } = await commandLine(["wasm", "run", ...words]);
    if (code !== test.exitCode) return `exit code ${code}, not ${test.exitCode}: ${stderr}`;
    if (test.stdout !== undefined && stdout !== test.stdout) return `unexpected output: ${stdout}`;
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

interface Specification {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly dirs?: readonly string[];
  readonly root?: string | null;
  readonly exit_code?: number;
  readonly stdout?: string;
}

function readCase(module: string): SuiteCase {
  const file = module.replace(/\.wasm$/, ".json");
  const told: Specification = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const directory = dirname(module);
  const names = told.dirs ?? [];
  const root =
    typeof told.root === "string" ? [{ from: join(directory, told.root), guest: "/" }] : [];
  return {
    module,
    arguments: told.args ?? [],
    environment: told.env ?? {},
    directories: [...root, ...names.map((name) => ({ from: join(directory, name), guest: name }))],
    exitCode: told.exit_code ?? 0,
    ...(told.stdout === undefined ? {} : { stdout: told.stdout }),
  };
}

if (process.argv[1] === import.meta.filename) {
  const cases = suiteCases(resolve(process.argv[2] ?? join(ROOT, "../wasi-testsuite")));
  let passed = 0;
  for (const test of cases) {
    const failure = await runCase(test, ownProcess);
    if (failure === undefined) passed += 1;
    else console.log(`${basename(test.module)}: ${failure}`);
  }
  console.log(`${passed} of ${cases.length}`);
  process.exit(passed === cases.length && cases.length > 0 ? 0 : 1);
}
