import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { before, suite, test } from "node:test";
import type { Command } from "commander";
import { buildCli } from "./cli.ts";
import { caughtContext, inEmptyDirectory, run, runJson } from "./testing/run.ts";
import { samplePolicy } from "./testing/sample-policy.ts";

const CLIENT = ["client", "policy.json", "-i", "me.pem", "-k", "me.key"];
const USER_APP = [
  "user-app",
  "vod",
  "0",
  "http://127.0.0.1:1",
  "http://127.0.0.1:1",
  "b",
  "o",
  "key",
  "iv",
];

/** The line, the argument at fault, and what must be said. */
const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["no command", ["policy"], /command is missing/],
  ["an unknown command", ["polcy"], /unknown command 'polcy' \(Did you mean policy\?\)/],
  ["an unknown option", ["policy", "hash", "policy.json", "--jsn"], /unknown option '--jsn'/],
  ["an argument too many", ["policy", "hash", "policy.json", "more"], /too many arguments/],
  ["no policy", ["client", ...CLIENT.slice(2)], /missing required argument 'policy'/],
  ["no identity", ["client", "policy.json", "-k", "me.key"], /--identity/],
  ["no key", ["client", "policy.json", "-i", "me.pem"], /--key/],
  ["`..` in an upload", [...CLIENT, "--data", "/a/../b=file"], /PATH_ESCAPE/],
  ["an empty path of an upload", [...CLIENT, "--data", "/a="], /path is empty/],
  ["an empty name of an upload", [...CLIENT, "--program", "=file"], /PATH_EMPTY/],
  ["a NUL in a compute", [...CLIENT, "--compute", "/a\0b"], /PATH_CHARACTER/],
  ["`..` in an output", [...CLIENT, "--output", "../x=file"], /PATH_ESCAPE/],
  ["`..` in an output by another name", [...CLIENT, "--results", "../x=file"], /PATH_ESCAPE/],
  [
    "an unknown check",
    [...CLIENT, "--skip-check", "chain,dtes"],
    /chain, measurement, policy-hash, dates/,
  ],
  [
    "a function's URL that is none",
    ["function", "list", "--url", "localhost"],
    /http:\/\/HOST:PORT/,
  ],
  ["a namespace in capitals", ["namespace", "create", "Team"], /1 to 40 small letters/],
  ["a URL with a password", ["function", "list", "--url", "http://u:p@h:1"], /http:\/\/HOST:PORT/],
  ["an upload without a path", ["function", "upload", "vod", "--program", "/p="], /path is empty/],
  ["no file of a function", ["function", "register"], /missing required argument 'file'/],
  [
    "an instance's URL of another kind",
    ["instance", "list", "--url", "ftp://h"],
    /http:\/\/HOST:PORT/,
  ],
  ["no name of an instance", ["instance", "delete"], /missing required argument 'instance'/],
  ["an instance id with a slash", USER_APP.with(2, "a/b"), /letters, digits/],
  ["an instance id of dots", USER_APP.with(2, ".."), /letters, digits/],
  ["a CCFaaS address that is none", USER_APP.with(3, "here"), /http:\/\/HOST:PORT/],
  ["a bridge address that is none", USER_APP.with(4, "there"), /http:\/\/HOST:PORT/],
  ["one argument too few", USER_APP.slice(0, -1), /missing required argument 'iv'/],
  ["an unknown S3 argument", [...USER_APP, "secret=x"], /S3 argument 1 is none of/],
  ["an S3 argument without a value", [...USER_APP, "region_name="], /region_name has no value/],
  ["an S3 argument twice", [...USER_APP, "region_name=a", "region_name=b"], /given twice/],
  ["one of two S3 credentials", [...USER_APP, "aws_access_key_id=a"], /both or not at all/],
  ["a measurement that is none", [...USER_APP, "--measurement", "12"], /64 hexadecimal digits/],
  ["a token without a role", ["token", "new", "me"], /opens nothing/],
  ["a role that is none", ["token", "new", "me", "--role", "user,root"], /reader, user, admin/],
  ["roles in no namespace", ["token", "new", "me", "--namespace", "user"], /NAME=ROLES/],
  ["a namespace with a slash", ["token", "new", "me", "--namespace", "a/b=user"], /NAME=ROLES/],
  ["a token's owner with a space", ["token", "new", "a b", "--role", "user"], /letters, digits/],
  ["a namespace with capitals", ["function", "list", "--namespace", "Team"], /small letters/],
  ["a quota that is none", ["namespace", "create", "a", "--functions", "many"], /whole number/],
  ["a quota beyond numbers", ["namespace", "quota", "a", "--bytes", "99999999T"], /whole number/],
  ["a version that is none", ["function", "rollback", "f", "0"], /a version's number/],
  [
    "an alias to delete and set",
    ["function", "alias", "f", "a", "1", "--delete"],
    /--delete takes/,
  ],
  ["ports without names", ["up", "--ports", "5000"], /NAME=PORT/],
  ["a port beyond the last", ["up", "--ports", "vaas=65536"], /NAME=PORT/],
  ["a port of nobody", ["up", "--ports", "web=80"], /NAME=PORT/],
  ["a port twice", ["serve", "vaas", "--ports", "vaas=1,vaas=2"], /NAME=PORT/],
  ["an S3 endpoint that is none", ["up", "--s3-endpoint", "s3"], /http:\/\/HOST:PORT/],
  ["an unknown service", ["serve", "broker"], /unknown command 'broker'/],
  ["a bucket with capitals", ["serve", "object-store", "--bucket", "Videos"], /bucket name/],
  ["a store's port that is none", ["serve", "object-store", "--port", "http"], /port number/],
  ["no policy of a receipt", ["receipt", "verify", "r"], /--policy/],
  ["a nonce that is not hexadecimal", ["evidence", "verify", "e", "--nonce", "xyz"], /hexadecimal/],
  ["an expectation without a value", ["evidence", "verify", "e", "--expect", "x"], /NAME=VALUE/],
  ["a kind of evidence that is none", ["evidence", "verify", "e", "--type", "sev0"], /sev-snp/],
  ["a time without its zone", ["evidence", "verify", "e", "--at", "2026-01-01T00:00:00"], /zone/],
  ["a time that is none", ["evidence", "verify", "e", "--at", "noon"], /a time with its zone/],
  ["a directory without a guest", ["wasm", "run", "m", "--dir", "data"], /HOST::GUEST/],
  ["a variable without a name", ["wasm", "run", "m", "--env", "=1"], /NAME=VALUE/],
  ["rights of unknown letters", ["wasm", "run", "m", "--rights", "/a=q"], /letters of rwx/],
  ["no memory", ["wasm", "run", "m", "--memory", "0"], /1 to 4096/],
  ["too much memory", ["wasm", "run", "m", "--memory", "4097"], /1 to 4096/],
  ["a clock that is none", ["wasm", "run", "m", "--clock", "noon"], /system, off, or a time/],
  ["an odd seed", ["wasm", "run", "m", "--seed", "abc"], /hexadecimal/],
  ["a time-out of nothing", ["wasm", "run", "m", "--timeout", "0"], /milliseconds/],
  ["an identity of no days", ["identity", "new", "me", "--days", "0"], /1 to 3650/],
  ["an identity with a strange name", ["identity", "new", "me", "--name", "a\nb"], /printable/],
  ["a video without its key", ["demo", "--video", "v"], /given together/],
  ["a model's name without a model", ["demo", "--model-name", "m"], /needs --model/],
];

suite("a wrong command line", () => {
  const directory = inEmptyDirectory();
  before(async () => {
    const { text, user } = await samplePolicy();
    writeFileSync("policy.json", text);
    writeFileSync("me.pem", user.certificatePem);
    writeFileSync("me.key", user.keyPem);
    writeFileSync("key", new Uint8Array(16));
    writeFileSync("iv", new Uint8Array(16));
  });

  for (const [fault, argv, said] of WRONG) {
    test(`is refused for ${fault}`, async () => {
      const names = directory.names();
      const { code, stdout, stderr } = await run(argv);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, said);
      assert.match(stderr, /\(CLI_USAGE\)/);
      assert.match(stderr, /^ {2}try: /m);
      assert.deepEqual(directory.names(), names, "nothing may change");
    });
  }

  test("is told as one JSON object when --json is given", async () => {
    const { code, value } = await runJson(["policy", "hash"]);
    assert.equal(code, 2);
    assert.equal(value["ok"], false);
    assert.equal(value.error?.code, "CLI_USAGE");
  });

  test("never repeats an S3 secret", async () => {
    for (const words of [
      ["aws_secret_access_key=hunter2", "aws_secret_access_key=hunter2"],
      ["aws_secret_key=hunter2"],
      ["aws_secret_access_key=hunter2"],
    ]) {
      const { code, stdout, stderr } = await run([...USER_APP, ...words]);
      assert.equal(code, 2);
      assert.doesNotMatch(stdout + stderr, /hunter2/);
    }
  });

  test("without anything shows the help", async () => {
    const { code, stdout } = await run([]);
    assert.equal(code, 2);
    assert.match(stdout, /holdfast demo/);
  });
});

suite("a file that is not there", () => {
  const directory = inEmptyDirectory();
  for (const argv of [
    ["policy", "check", "none.json"],
    ["policy", "hash", "none.json"],
    ["policy", "explain", "none.json"],
    ["policy", "diff", "none.json", "none.json"],
    ["client", "none.json", "-i", "a", "-k", "b", "--shutdown"],
    ["receipt", "verify", "none", "--policy", "none.json"],
    ["evidence", "show", "none"],
    ["evidence", "verify", "none"],
    ["evidence", "audit", "none"],
    ["evidence", "expect", "tdx", "--firmware", "none"],
    ["wasm", "run", "none.wasm"],
    ["keep", "measure", "none.mjs"],
    ["function", "register", "none.json"],
    ["instance", "create", "none.json"],
    ["demo", "--model", "none"],
    USER_APP,
  ]) {
    test(`is named by ${argv.slice(0, 2).join(" ")}`, async () => {
      const { code, stdout, stderr } = await run(argv);
      // Judging evidence has a code of its own for what could not be judged.
      assert.equal(code, argv[1] === "verify" && argv[0] === "evidence" ? 3 : 1, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /\(CLI_FILE\)/);
      assert.deepEqual(directory.names(), []);
    });
  }
});

suite("help", () => {
  const all = leavesOf(buildCli(caughtContext()), []);

  test("knows every command, and none takes an option of `holdfast` itself for its own", () => {
    assert.ok(all.length > 40);
    for (const { argv, command } of all) {
      const own = command.options.map(({ long }) => long);
      assert.ok(!own.includes("--version"), argv.join(" "));
    }
  });

  for (const { argv } of all) {
    test(`of ${argv.join(" ")} teaches with examples and exit codes`, async () => {
      const { code, stdout, stderr } = await run([...argv, "--help"]);
      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.match(stdout, new RegExp(`\\$ holdfast ${argv.join(" ")}`));
      assert.match(stdout, /Exit codes:/);
      assert.match(stdout, /--json/);
    });
  }
});

function leavesOf(
  command: Command,
  path: readonly string[],
): { argv: string[]; command: Command }[] {
  if (command.commands.length === 0) return [{ argv: [...path], command }];
  return command.commands.flatMap((each) => leavesOf(each, [...path, each.name()]));
}
