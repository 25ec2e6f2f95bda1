// Who gets in at `holdfast up`, and with what: certificates and tokens of its first start, refused for every fault; and
// what is secret is in no log and on no command line.
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { freePorts } from "./free-ports.ts";
import { eventually, processesOf, type Ran, type Running, run, start } from "./holdfast.ts";

suite("access to holdfast up", () => {
  let directory: string;
  let platform: Running;
  let ccfaas: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-access-"));
    const [attestation, vaas, free, s3] = await freePorts(4);
    ccfaas = `https://127.0.0.1:${free}`;
    const keeps = 30_700 + Math.floor(Math.random() * 400);
    const ports = `attestation=${attestation},vaas=${vaas},ccfaas=${free},s3=${s3},keeps=${keeps}`;
    platform = start(["up", "--ports", ports], { cwd: directory, lasting: true });
    await platform.until(/Ctrl-C ends everything/);
  });
  after(async () => {
    platform.child.kill("SIGINT");
    await platform.done;
    await rm(directory, { recursive: true, force: true });
  });

  const holdfast = (
    argv: readonly string[],
    environment: Record<string, string> = {},
  ): Promise<Ran> => run(argv, { cwd: directory, environment });
  const inData = (name: string): string => join(directory, "holdfast-data", name);
  const token = (): string => readFileSync(inData("access/administrator.token"), "utf8").trim();

  test("the commands get in by the profile that was written", async () => {
    const { code, stderr } = await holdfast(["function", "list"]);
    assert.equal(code, 0, stderr);
    assert.equal(statSync(inData("profile.json")).mode & 0o777, 0o600);
  });

  test("every member of a profile can be given by hand", async () => {
    const ca = ["--ca-file", inData("tls/ca.pem")];
    const where = ["--url", ccfaas, "--profile", "empty.json"];
    writeFileSync(join(directory, "empty.json"), "{}", { mode: 0o600 });
    const file = ["--token-file", inData("access/administrator.token")];
    assert.equal((await holdfast(["function", "list", ...where, ...ca, ...file])).code, 0);
    const environment = { HOLDFAST_TOKEN: token() };
    assert.equal((await holdfast(["function", "list", ...where, ...ca], environment)).code, 0);
    const elsewhere = { HOLDFAST_PROFILE: inData("profile.json") };
    assert.equal(
      (await run(["function", "list"], { cwd: tmpdir(), environment: elsewhere })).code,
      0,
    );
  });

  for (const [fault, environment, argv, says] of [
    ["no token", {}, ["--profile", "no-token.json"], [/ACCESS_UNKNOWN/, /no token was sent/]],
    [
      "another's token",
      { HOLDFAST_TOKEN: "hf_nobodys" },
      [],
      [/ACCESS_UNKNOWN/, /HOLDFAST_TOKEN is not known/],
    ],
    ["a token on the command line", {}, ["--token", "hf_secret"], [/CLI_USAGE/, /does not belong/]],
    ["a token joined to its option", {}, ["--token=hf_secret"], [/CLI_USAGE/, /does not belong/]],
    [
      "another authority",
      {},
      ["--profile", "other-ca.json"],
      [/SERVICE_UNTRUSTED/, /other-ca\.pem/],
    ],
    [
      "a profile that others may read",
      {},
      ["--profile", "open.json"],
      [/CLI_NOT_PRIVATE/, /chmod 600/],
    ],
    ["no profile at all", { HOLDFAST_PROFILE: "" }, [], [/CLI_NO_PROFILE/, /holdfast up/]],
  ] as const) {
    test(`${fault} is refused, with what to do`, async () => {
      const profile = { ccfaas, ca_file: inData("tls/ca.pem") };
      writePrivate("no-token.json", profile);
      writePrivate("open.json", profile);
      chmodSync(join(directory, "open.json"), 0o644);
      writePrivate("other-ca.json", { ...profile, ca_file: "other-ca.pem" });
      copyFileSync(inData("simulated-platform/root.pem"), join(directory, "other-ca.pem"));
      const cwd = fault === "no profile at all" ? tmpdir() : directory;
      const { code, stdout, stderr } = await run(["function", "list", ...argv], {
        cwd,
        environment,
      });
      assert.notEqual(code, 0);
      for (const each of says) assert.match(stderr, each);
      assert.match(stderr, /^ {2}try: /m);
      assert.doesNotMatch(stdout + stderr, /hf_/);
    });
  }

  test("somebody new gets in with his profile, does what his role lets him, and no more once revoked", async () => {
    const made = await holdfast([
      "token",
      "new",
      "alice",
      "--role",
      "reader",
      "--profile-out",
      "alice.json",
    ]);
    assert.equal(made.code, 0, made.stderr);
    const as = (...argv: string[]): Promise<Ran> => holdfast([...argv, "--profile", "alice.json"]);
    // The services look at the file of principals once a second.
    await eventually("alice is known", async () => (await as("function", "list")).code === 0);
    const denied = await as("function", "delete", "any");
    assert.match(denied.stderr, /alice has not the role admin/);
    assert.match(denied.stderr, /ACCESS_DENIED/);
    assert.equal((await holdfast(["token", "revoke", "alice"])).code, 0);
    await eventually("alice is forgotten", async () =>
      /ACCESS_UNKNOWN/.test((await as("function", "list")).stderr),
    );
  });

  test("somebody is known by a client certificate instead of a token", async () => {
    await holdfast(["identity", "new", "BOB"]);
    const made = await holdfast([
      "token",
      "new",
      "bob",
      "--role",
      "reader",
      "--certificate",
      "BOBcert.pem",
    ]);
    assert.equal(made.code, 0, made.stderr);
    const files = { certificate_file: "BOBcert.pem", key_file: "BOBkey.pem" };
    writePrivate("bob.json", { ccfaas, ca_file: inData("tls/ca.pem"), ...files });
    const list = ["function", "list", "--profile", "bob.json"];
    await eventually("bob is known", async () => (await holdfast(list)).code === 0);
  });

  test("a token is not sent in clear to another machine", async () => {
    const argv = ["function", "list", "--url", "http://192.0.2.1:5010"];
    const { stderr } = await holdfast(argv, { HOLDFAST_TOKEN: "hf_mine" });
    assert.match(stderr, /CLI_PLAIN_HTTP/);
  });

  test("what the profile holds is not shown to other addresses", async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader("content-type", "application/json").end('{"functions": []}');
    });
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    try {
      const { port } = other.address() as { port: number };
      const { code } = await holdfast(["function", "list", "--url", `http://127.0.0.1:${port}`]);
      assert.equal(code, 0);
      assert.deepEqual(seen, [undefined]);
    } finally {
      other.close();
    }
  });

  test("plain HTTP is told by every service that TLS is spoken", async () => {
    const profile = JSON.parse(readFileSync(inData("profile.json"), "utf8"));
    for (const service of ["attestation", "vaas", "ccfaas", "s3"]) {
      assert.match(profile[service], /^https:/);
      const answer = await fetch(`${profile[service].replace("https", "http")}/healthz`);
      assert.equal(answer.status, 400, service);
      assert.match(await answer.text(), /TLS/, service);
    }
  });

  test("no token and no private key is in a log or on a command line", () => {
    const files = globSync("**/*.{log,json}", { cwd: join(directory, "holdfast-data") });
    assert.ok(files.some((name) => name.endsWith("control.log")));
    for (const name of files) {
      const text = readFileSync(inData(name), "utf8");
      assert.doesNotMatch(text, /hf_/, name);
      if (name.endsWith(".log")) assert.doesNotMatch(text, /PRIVATE KEY/, name);
    }
    for (const { command } of processesOf(platform.child.pid ?? 0, inData(""))) {
      assert.doesNotMatch(command, /hf_|PRIVATE KEY/);
    }
  });

  function writePrivate(name: string, value: object): void {
    writeFileSync(join(directory, name), JSON.stringify(value), { mode: 0o600 });
  }
});
