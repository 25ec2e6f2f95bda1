// Functions over time and apart: versions that are published whole, names for them, and namespaces with their quotas.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { freePorts } from "./free-ports.ts";
import { type Ran, ROOT, type Running, run, start } from "./holdfast.ts";

const MODULE = resolve(ROOT, "examples/vod/dist/detector.wasm");
const PROGRAM = ["--program", `/program/p.wasm=${MODULE}`];

interface Versions {
  readonly versions: readonly { version: number; current: boolean; aliases: readonly string[] }[];
}

suite("functions on holdfast up", () => {
  let directory: string;
  let platform: Running;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-functions-"));
    const [attestation, vaas, ccfaas, s3] = await freePorts(4);
    const keeps = 30_200 + Math.floor(Math.random() * 400);
    const ports = `attestation=${attestation},vaas=${vaas},ccfaas=${ccfaas},s3=${s3},keeps=${keeps}`;
    platform = start(["up", "--ports", ports], { cwd: directory, lasting: true });
    await platform.until(/Ctrl-C ends everything/);
    writeFileSync(join(directory, "function.json"), JSON.stringify(definition()));
    for (const name of ["one", "two"]) writeFileSync(join(directory, name), `data ${name}`);
  });
  after(async () => {
    platform.child.kill("SIGINT");
    await platform.done;
    await rm(directory, { recursive: true, force: true });
  });

  const holdfast = (...argv: string[]): Promise<Ran> => run(argv, { cwd: directory });
  const good = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await holdfast(...argv);
    assert.equal(code, 0, `${argv.join(" ")}: ${stderr}`);
    return stdout;
  };
  const versions = async (): Promise<Versions["versions"]> =>
    (JSON.parse(await good("function", "versions", "f", "--json")) as Versions).versions;

  test("a new version serves once its last file is there; an earlier one can come back", async () => {
    await good("function", "register", "function.json", ...PROGRAM, "--data", "/data/d=one");
    const published = await good(
      ...["function", "publish", "function.json", ...PROGRAM, "--data", "/data/d=two"],
    );
    assert.match(published, /data file \/data\/d stored/);
    assert.doesNotMatch(published, /program/, "the program is there already");
    assert.match(published, /f is at version 2/);
    await good("function", "alias", "f", "stable", "1");
    assert.deepEqual(
      (await versions()).map(({ version, current, aliases }) => [version, current, ...aliases]),
      [
        [1, false, "stable"],
        [2, true],
      ],
    );
    assert.match(await good("function", "rollback", "f", "1"), /f is at version 1/);
    assert.deepEqual(
      (await versions()).filter(({ current }) => current).map(({ version }) => version),
      [1],
    );
    assert.match(await good("function", "rollback", "f", "2"), /f is at version 2/);
  });

  test("an instance is made of the version that an alias means, and runs its files", async () => {
    await good("identity", "new", "ME");
    const certificate = readFileSync(join(directory, "MEcert.pem"), "utf8").trim();
    const file_rights = [{ file_name: "/data/", rights: 24582 }];
    const user = { function: "f", instanceid: "i", identities: [{ certificate, file_rights }] };
    writeFileSync(join(directory, "user.json"), JSON.stringify(user));
    await good(
      ...[
        "instance",
        "create",
        "user.json",
        "--function-version",
        "stable",
        "--policy-out",
        "policy.json",
      ],
    );
    assert.match(await good("instance", "show", "i"), /function f at version 1: ready/);
    const me = ["client", "policy.json", "-i", "MEcert.pem", "-k", "MEkey.pem", "-q", "-n"];
    assert.equal(await good(...me, "-o", "/data/d=-"), "data one");
    const used = await holdfast("function", "versions", "f", "--delete", "1");
    assert.match(used.stderr, /VERSION_IN_USE/);
    await good("instance", "delete", "i");
    await good("function", "alias", "f", "stable", "--delete");
    await good("function", "versions", "f", "--delete", "1");
    assert.deepEqual(
      (await versions()).map(({ version }) => version),
      [2],
    );
  });

  test("a namespace has functions of its own, within its quotas", async () => {
    await good("namespace", "create", "team-a", "--functions", "1", "--bytes", "10M");
    const inTeam = ["--namespace", "team-a"];
    await good(
      "function",
      "register",
      "function.json",
      ...PROGRAM,
      "--data",
      "/data/d=two",
      ...inTeam,
    );
    const other = { ...definition(), function: "g" };
    writeFileSync(join(directory, "other.json"), JSON.stringify(other));
    const files = [...PROGRAM, "--data", "/data/d=two"];
    const over = await holdfast("function", "register", "other.json", ...files, ...inTeam);
    assert.equal(over.code, 1);
    assert.match(over.stderr, /QUOTA_FUNCTIONS/);
    assert.match(await good("namespace", "show", ...inTeam), /1 of 1 functions/);
    await good("namespace", "quota", "team-a", "--functions", "none");
    await good("function", "register", "other.json", ...files, ...inTeam);
    assert.equal(await good("function", "list", ...inTeam), "f\ng\n");
    assert.equal(await good("function", "list"), "f\n");
    assert.match((await holdfast("namespace", "delete", "team-a")).stderr, /NAMESPACE_IN_USE/);
    for (const name of ["f", "g"]) await good("function", "delete", name, ...inTeam);
    await good("namespace", "delete", "team-a");
    assert.doesNotMatch(await good("namespace", "list"), /team-a/);
    const gone = await holdfast("function", "list", ...inTeam);
    assert.match(gone.stderr, /NAMESPACE_UNKNOWN/);
  });
});

function definition(): object {
  const rights = (name: string, value: number): object => ({ file_name: name, rights: value });
  return {
    function: "f",
    execution_strategy: "JIT",
    max_memory_mib: 64,
    debug: false,
    enable_clock: false,
    programs: [
      { id: 0, program_file_name: "/program/p.wasm", file_rights: [rights("/data/", 24582)] },
    ],
    data_files: [{ data_file: "/data/d" }],
    file_rights: [rights("/program/", 534084), rights("/data/", 534084)],
  };
}
