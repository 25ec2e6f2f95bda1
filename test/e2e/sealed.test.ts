// Sealed inputs from end to end, with the commands of a person and nothing but real processes: a model that lies sealed in
// a place that nobody trusts, a key that goes to the keep it is for and to no other, a run that reads the model, and no
// trace of either where it does not belong.
import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, readFileSync, readSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type Pattern, PatternSearch } from "../../apps/cli/src/demo/pattern-search.ts";
import { openMemory } from "../../apps/cli/src/demo/process-memory.ts";
import { copying, wat } from "../../apps/keep/src/testing/programs.ts";
import { freePorts } from "./free-ports.ts";
import { isAlive, processesOf, type Ran, type Running, run, start } from "./holdfast.ts";

const MARKER = "the plain bytes of the model that nobody but the keep may have";
const MODEL = Buffer.from(`${MARKER}\n`.repeat(500));
const PATH = "/model/x";
const READ = 24_582;
const WRITE = 534_084;
const EXECUTE = 536_879_104;

interface Sealed {
  readonly plain: { readonly sha256: string };
  readonly sealed: { readonly sha256: string; readonly size: number };
}

suite("sealed inputs on holdfast up", { timeout: 420_000 }, () => {
  let directory: string;
  let platform: Running;
  let server: Server;
  let source: string;
  /** What lies at the source. */
  let served: Uint8Array;
  let measurement: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-sealed-"));
    server = createServer((_request, response) => response.end(served));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    source = `${origin}/files/model.sealed`;
    const [attestation, vaas, ccfaas, s3] = await freePorts(4);
    const keeps = 30_700 + Math.floor(Math.random() * 300);
    const ports = `attestation=${attestation},vaas=${vaas},ccfaas=${ccfaas},s3=${s3},keeps=${keeps}`;
    const argv = ["up", "--ports", ports, "--fetch-allow", `${origin}/files`];
    platform = start(argv, { cwd: directory, lasting: true });
    await platform.until(/Ctrl-C ends everything/);
    for (const [file, from] of [
      ["p.wasm", "x"],
      ["other.wasm", "xx"],
    ] as const) {
      writeFileSync(join(directory, file), await wat(copying(from, "y")));
    }
    writeFileSync(join(directory, "model"), MODEL);
    const seal = await good(
      "seal",
      "model",
      "model.sealed",
      "--key",
      "model.key",
      "--new-key",
      "--json",
    );
    served = readFileSync(join(directory, "model.sealed"));
    for (const name of ["ME", "SHE"]) await good("identity", "new", name);
    for (const [name, program] of [
      ["f", "p.wasm"],
      ["g", "other.wasm"],
    ] as const) {
      const definition = functionOf(name, source, JSON.parse(seal) as Sealed);
      writeFileSync(join(directory, `${name}.json`), JSON.stringify(definition));
      const file = ["--program", `/program/p.wasm=${program}`];
      assert.match(
        await good("function", "register", `${name}.json`, ...file),
        /provisioned|stored/,
      );
    }
    measurement = (JSON.parse(await good("keep", "measure", "--json")) as { measurement: string })
      .measurement;
  });
  after(async () => {
    platform.child.kill("SIGINT");
    await platform.done;
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });

  const holdfast = (...argv: string[]): Promise<Ran> => run(argv, { cwd: directory });
  const good = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await holdfast(...argv);
    assert.equal(code, 0, `${argv.join(" ")}: ${stderr}`);
    return stdout;
  };
  const terms = (): string[] => [
    ...["--measurement", measurement, "--program", "p.wasm", "--reader", "MEcert.pem"],
  ];
  const create = (id: string, name = "f", owner = "ME"): Promise<Ran> => {
    const certificate = readFileSync(join(directory, `${owner}cert.pem`), "utf8").trim();
    const user = {
      function: name,
      instanceid: id,
      identities: [{ certificate, file_rights: USER }],
    };
    writeFileSync(join(directory, "user.json"), JSON.stringify(user));
    return holdfast("instance", "create", "user.json", "--policy-out", `${id}.policy`);
  };
  /** The instance fails for that reason, which its record keeps, and its keep is ended. */
  const fails = async (id: string, reason: RegExp, ...of: string[]): Promise<void> => {
    const { code, stderr } = await create(id, ...of);
    assert.equal(code, 1);
    assert.match(stderr, reason);
    assert.match(await good("instance", "show", id), /failed/);
  };
  const released = async (): Promise<number> => {
    const { key } = JSON.parse(await good("key", "show", "model", "--json")) as {
      key: { released: number };
    };
    return key.released;
  };

  test("a keep fetches the model, gets its key, and runs on it", async () => {
    await good("key", "put", "model", "--key", "model.key", ...terms(), "--simulated");
    const { code, stderr } = await create("i");
    assert.equal(code, 0, stderr);
    assert.match(await good("policy", "explain", "i.policy"), /opened with key model/);
    assert.match(await good("function", "show", "f"), /\/model\/x {2}fetched by keeps from http/);
    const me = ["client", "i.policy", "-i", "MEcert.pem", "-k", "MEkey.pem", "-q", "-n"];
    await good(...me, "-c", "/program/p.wasm", "-o", "/output/y=out");
    assert.deepEqual(readFileSync(join(directory, "out")), MODEL);
    const peek = await holdfast(...me, "-o", `${PATH}=peek`);
    assert.match(peek.stderr, /RIGHTS_MISSING/);
    assert.equal(await released(), 1);
  });

  test("neither key nor plain bytes are anywhere but where they belong", () => {
    const key = Buffer.from(readFileSync(join(directory, "model.key"), "utf8"), "base64");
    const patterns: Pattern[] = [
      { what: "the model", bytes: Buffer.from(MARKER) },
      { what: "the key", bytes: key },
      { what: "the key in base64", bytes: Buffer.from(key.toString("base64")) },
      { what: "the key in hexadecimal", bytes: Buffer.from(key.toString("hex")) },
    ];
    const data = join(directory, "holdfast-data");
    const files = globSync("**/*", { cwd: data }).filter((file) =>
      statSync(join(data, file)).isFile(),
    );
    const finds = new Map<string, string>();
    for (const file of files) {
      const search = new PatternSearch(patterns);
      search.search(readFileSync(join(data, file)));
      if (search.found.size > 0) finds.set(file, [...search.found].join());
    }
    // Whoever runs the attestation service is trusted with keys; nobody is with the model.
    const elsewhere = [...finds].filter(([file]) => !file.startsWith("attestation/"));
    assert.deepEqual(elsewhere, []);
    assert.equal(
      [...finds.values()].some((found) => found.includes("model")),
      false,
    );
    assert.ok(finds.size > 0, "the search finds the key where it is kept");
    const processes = processesOf(platform.child.pid ?? 0, data).filter(isAlive);
    const loaders = processes.filter(({ command }) => command.includes("loader.mjs"));
    const control = processes.filter(({ command }) => command.includes("control.json"));
    assert.ok(loaders.length > 0 && control.length > 0, JSON.stringify(processes));
    const keeps = processes.filter(({ command }) => command.includes("--permission"));
    // What the search can't find where it is, it would find nowhere. Some systems let nobody look.
    const seen = keeps
      .map(({ pid }) => foundIn(pid, patterns))
      .filter((each) => each !== undefined);
    assert.ok(seen.length === 0 || seen.flat().includes("the model"));
    for (const { pid, command } of [...loaders, ...control]) {
      assert.deepEqual(foundIn(pid, patterns) ?? [], [], command);
    }
  });

  test("refused: bytes that were changed", async () => {
    const whole = served;
    served = Uint8Array.from(whole);
    served[100] = (served[100] ?? 0) ^ 1;
    try {
      await fails("tampered", /INPUT_MISMATCH/);
    } finally {
      served = whole;
    }
  });

  test("refused: another program, a reader who is not listed", async () => {
    const before = await released();
    await fails("other", /INPUT_KEY_REFUSED/, "g");
    await fails("stranger", /INPUT_KEY_REFUSED/, "f", "SHE");
    assert.equal(await released(), before);
  });

  test("refused: a simulated platform where it was not allowed", async () => {
    await good("key", "grant", "model", ...terms());
    await fails("simulated", /INPUT_KEY_REFUSED/);
  });

  test("refused: a key that was deleted", async () => {
    await good("key", "grant", "model", ...terms(), "--simulated");
    await good("key", "delete", "model");
    await fails("deleted", /INPUT_KEY_REFUSED/);
  });
});

const right = (file_name: string, rights: number): object => ({ file_name, rights });
const USER = [right("/output/", READ), right("/program/", EXECUTE)];

function functionOf(name: string, source: string, { plain, sealed }: Sealed): object {
  return {
    function: name,
    execution_strategy: "JIT",
    max_memory_mib: 64,
    debug: false,
    enable_clock: false,
    programs: [
      {
        id: 0,
        program_file_name: "/program/p.wasm",
        file_rights: [right("/model/", READ), right("/output/", WRITE)],
      },
    ],
    data_files: [{ data_file: PATH, pi_hash: plain.sha256 }],
    file_rights: [right("/program/", WRITE)],
    holdfast: { inputs: [{ path: PATH, source, ...sealed, key: "model" }] },
  };
}

/** What of the patterns is in a process's memory; undefined where nobody may look. */
function foundIn(pid: number, patterns: readonly Pattern[]): string[] | undefined {
  const memory = openMemory(pid);
  if (memory === undefined) return undefined;
  const search = new PatternSearch(patterns);
  try {
    for (const { from, to } of memory.ranges) {
      for (let at = from; at < to; at += 1 << 20) {
        const part = Buffer.alloc(Math.min((1 << 20) + search.overlap, to - at));
        try {
          search.search(part.subarray(0, readSync(memory.file, part, 0, part.length, at)));
        } catch {
          // A stretch that went away since.
        }
      }
    }
  } finally {
    memory.close();
  }
  return [...search.found];
}
