// The original services and programs (github.com/veracruz-project/veracruz-examples, i-poc/ of commit df773de9), run
// unchanged where somebody fetched them beside the repository; they are not part of this project. What their container
// images gave them is put around them: a home at /root, netcat, and veracruz-client.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, skipWithout } from "./peer.ts";

/** Where they are when they were fetched. */
export const ORIGINALS: string = resolve(import.meta.dirname, "../../../veracruz-examples/i-poc");

/** The services; each is one Flask program. */
export const SERVICES = {
  vaas: { directory: "vaas-server", program: "vaas-server" },
  ccfaas: { directory: "ccfaas-app", program: "ccfaas-server" },
  s3: { directory: "iotex-s3-app", program: "iotex-s3-app" },
} as const;

/** An original that runs. */
export interface Original {
  readonly url: string;
  /** Everything that it said. */
  log(): string;
  close(): Promise<void>;
}

/** How an original program ended. */
export interface OriginalRun {
  readonly code: number | null;
  readonly output: string;
}

const PYTHON = "/usr/bin/python3";
const CLI = resolve(import.meta.dirname, "../../apps/cli/src/main.ts");
/** Debian's Python comes first: its modules are what the originals need. */
const SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";
const MODULES = "flask, requests, jsonschema, boto3, kubernetes, OpenSSL";
const TOOLS = ["bash", "curl", "wget", "jq", "nc", "openssl", "unshare"];
/** A process sees mounts of its own; whoever is not root is it in a namespace of users, too. */
const OWN_MOUNTS = process.getuid?.() === 0 ? ["--mount"] : ["--map-root-user", "--mount"];
const START_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 240_000;

/** Why tests with the originals are skipped; false when they run. */
export function skipWithoutOriginals(): string | false {
  if (!existsSync(ORIGINALS)) return "veracruz-examples was not fetched beside the repository";
  const missing = skipWithout(
    `what the originals need (${TOOLS.join(", ")})`,
    TOOLS.map((name) => findProgram(name)),
  );
  if (missing !== false) return missing;
  const works = (program: string, ...argv: string[]): string | undefined =>
    spawnSync(program, argv, { stdio: "ignore" }).status === 0 ? program : undefined;
  return (
    skipWithout(`Debian's python3 with ${MODULES}`, [works(PYTHON, "-c", `import ${MODULES}`)]) ||
    skipWithout("leave to mount", [
      works("unshare", ...OWN_MOUNTS, "mount", "--bind", "/tmp", "/root"),
    ])
  );
}

/** A copy of a part of the originals to work in, with `holdfast client` in the place of veracruz-client. */
export function copyOriginal(part: string, directory: string): string {
  cpSync(join(ORIGINALS, part), directory, { recursive: true });
  writeProgram(
    join(directory, "veracruz-client"),
    `exec "${process.execPath}" "${CLI}" client "$@"`,
  );
  return directory;
}

/**
 * Starts a service in a copy of its directory.
 * @param environment what the service is configured by
 */
export async function startOriginal(
  name: keyof typeof SERVICES,
  options: {
    readonly directory: string;
    readonly port: number;
    readonly environment?: Readonly<Record<string, string>>;
    /** Where S3 is; boto3 of that time takes no address from its surroundings. */
    readonly s3Endpoint?: string;
  },
): Promise<Original> {
  const { port } = options;
  const directory = copyOriginal(SERVICES[name].directory, options.directory);
  if (name === "ccfaas") {
    for (const records of ["functionDB", "instanceDB"]) mkdirSync(join(directory, records));
  }
  if (options.s3Endpoint !== undefined) {
    const client = `functools.partial(boto3.client, endpoint_url="${options.s3Endpoint}")`;
    const lines = ["import functools, boto3", `boto3.client = ${client}`, ""];
    writeFileSync(join(directory, "sitecustomize.py"), lines.join("\n"));
  }
  const logFile = join(directory, "log.txt");
  const log = openSync(logFile, "w");
  // As in its image: the directory is /root, whose name stands in the program. Seen by this process alone.
  const inRoot = 'mount --bind "$0" /root && cd /root && exec flask run --port "$1"';
  const child = spawn("unshare", [...OWN_MOUNTS, "sh", "-c", inRoot, directory, String(port)], {
    stdio: ["ignore", log, log],
    env: {
      ...surroundings(directory),
      FLASK_APP: SERVICES[name].program,
      ...options.environment,
    },
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  const said = (): string => readFileSync(logFile, "utf8");
  await untilItAnswers(url, child, said);
  return {
    url,
    log: said,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Runs a program of the originals to its end, in a directory that holds a copy of it. */
export async function runOriginal(
  directory: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<OriginalRun> {
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...surroundings(directory), ...environment },
    timeout: RUN_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

/**
 * The load scripts ask a server up to thirty times for the words "Bad Request", which that generation of it said to
 * whoever spoke no HTTP. A keep says nothing to whoever speaks no TLS, and they then go on all the same; so that nobody
 * waits a minute for that, this netcat says the words.
 */
function surroundings(directory: string): Record<string, string> {
  const bin = join(directory, "bin");
  mkdirSync(bin, { recursive: true });
  const netcat = `case "$1" in -z) exec ${findProgram("nc")} "$@";; esac\necho "Bad Request"`;
  writeProgram(join(bin, "nc"), netcat);
  return {
    PATH: [bin, SYSTEM_PATH].join(delimiter),
    HOME: directory,
    LANG: "C.UTF-8",
    PYTHONPATH: directory,
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

function writeProgram(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

async function untilItAnswers(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`${url} did not start: ${log().slice(-2000)}`);
    }
    await sleep(50);
  }
}
