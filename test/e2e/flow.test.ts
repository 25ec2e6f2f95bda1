// Big things flow: a data file is registered and provisioned, an object streams from S3 into the keep, and no process but
// the keep that holds them grows with them. HOLDFAST_FLOW=full moves 250 MB and 500 MB; otherwise a fifth of it.
import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { createReadStream, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { freePorts } from "./free-ports.ts";
import { type Process, processesOf, type Ran, ROOT, type Running, run, start } from "./holdfast.ts";

const FULL = process.env["HOLDFAST_FLOW"] === "full";
const MB = 1_000_000;
const DATA_BYTES = (FULL ? 250 : 50) * MB;
const OBJECT_BYTES = (FULL ? 500 : 100) * MB;
/** What a Node process with its libraries may take, however much flows through it. */
const PROCESS_LIMIT_MB = 400;
const SECRET = "a-secret-of-the-store";
const LINUX = process.platform === "linux" ? false : "memory is read from /proc";
const MODULE = resolve(ROOT, "examples/vod/dist/detector.wasm");

suite("big files", { skip: LINUX }, () => {
  let directory: string;
  let store: Running;
  let platform: Running;
  let bridge: string;
  let storePort: number;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-flow-"));
    const [attestation, vaas, ccfaas, s3, free = 0] = await freePorts(5);
    storePort = free;
    bridge = `http://127.0.0.1:${s3}`;
    writeFileSync(join(directory, "secret"), SECRET);
    store = start(
      ["serve", "object-store", "--port", String(storePort), "--secret-file", "secret"],
      { cwd: directory, lasting: true },
    );
    const keeps = 31_800 + Math.floor(Math.random() * 500);
    const ports = `attestation=${attestation},vaas=${vaas},ccfaas=${ccfaas},s3=${s3},keeps=${keeps}`;
    const endpoint = `http://127.0.0.1:${storePort}`;
    platform = start(["up", "--local-development", "--ports", ports, "--s3-endpoint", endpoint], {
      cwd: directory,
      lasting: true,
    });
    await Promise.all([store.until(/Ctrl-C ends it/), platform.until(/Ctrl-C ends everything/)]);
  });
  after(async () => {
    for (const each of [platform, store]) each.child.kill("SIGINT");
    await Promise.all([platform.done, store.done]);
    await rm(directory, { recursive: true, force: true });
  });

  const holdfast = (...argv: string[]): Promise<Ran> => run(argv, { cwd: directory });

  test("flow, and only the keep grows", async (context) => {
    const data = writeRandom(join(directory, "data.bin"), DATA_BYTES);
    const object = writeRandom(join(directory, "object.bin"), OBJECT_BYTES);
    writeFileSync(join(directory, "function.json"), JSON.stringify(functionOf()));
    await putObject(storePort, join(directory, "object.bin"));
    const registered = await holdfast(
      "function",
      "register",
      "function.json",
      "--program",
      `/program/big.wasm=${MODULE}`,
      "--data",
      "/program_data/big=data.bin",
    );
    assert.equal(registered.code, 0, registered.stderr);
    await holdfast("identity", "new", "ME");
    writeFileSync(
      join(directory, "user.json"),
      JSON.stringify(userOf(join(directory, "MEcert.pem"))),
    );
    const created = await holdfast(
      "instance",
      "create",
      "user.json",
      "--policy-out",
      "policy.json",
    );
    assert.equal(created.code, 0, created.stderr);
    const copied = await fetch(`${bridge}/s3_stream_veracruz`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        s3: {
          region_name: "us-east-1",
          bucket: "videos",
          filename: "object",
          aws_access_key_id: "holdfast",
          aws_secret_access_key: SECRET,
        },
        veracruz: {
          filename: "/s3_app_input/object",
          policy: readFileSync(join(directory, "policy.json"), "utf8"),
          certificate: readFileSync(join(directory, "MEcert.pem"), "utf8"),
          key: readFileSync(join(directory, "MEkey.pem"), "utf8"),
        },
      }),
    });
    assert.equal(copied.status, 200, await copied.clone().text());
    const me = ["client", "policy.json", "-i", "MEcert.pem", "-k", "MEkey.pem", "-n", "--json"];
    const back = await holdfast(
      ...me,
      "-o",
      "/s3_app_input/object=back.bin",
      "-o",
      "/program_data/big=data-back.bin",
    );
    assert.equal(back.code, 0, back.stdout);
    const { outputs } = JSON.parse(back.stdout) as { outputs: { sha256: string }[] };
    assert.deepEqual(
      outputs.map(({ sha256 }) => sha256),
      [object, data],
    );
    const peaks = [
      ...processesOf(platform.child.pid ?? 0, join(directory, "holdfast-data")),
      ...processesOf(store.child.pid ?? 0, directory).filter(({ pid }) => pid === store.child.pid),
    ].map((each) => ({ ...each, peak: peakOf(each) }));
    for (const { command, peak } of peaks)
      context.diagnostic(`${Math.round(peak)} MB at most: ${nameOf(command)}`);
    for (const { command, peak } of peaks.filter(
      (each) => !each.command.includes("--permission"),
    )) {
      assert.ok(peak < PROCESS_LIMIT_MB, `${command} took ${peak} MB`);
    }
  });
});

function functionOf(): object {
  const rights = (name: string, value: number): object => ({ file_name: name, rights: value });
  return {
    function: "big",
    execution_strategy: "JIT",
    max_memory_mib: 2000,
    debug: false,
    enable_clock: false,
    programs: [
      {
        id: 0,
        program_file_name: "/program/big.wasm",
        file_rights: [rights("/program_data/", 24582)],
      },
    ],
    data_files: [{ data_file: "/program_data/big" }],
    file_rights: [rights("/program/", 534084), rights("/program_data/", 534084)],
  };
}

function userOf(certificateFile: string): object {
  const certificate = readFileSync(certificateFile, "utf8").trim();
  const file_rights = [
    { file_name: "/s3_app_input/", rights: 534084 | 24582 },
    { file_name: "/program_data/", rights: 24582 },
  ];
  return { function: "big", instanceid: "big", identities: [{ certificate, file_rights }] };
}

function writeRandom(path: string, bytes: number): string {
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  const part = Buffer.alloc(10 * MB);
  for (let at = 0; at < bytes; at += part.length) {
    randomFillSync(part);
    hash.update(part);
    writeSync(file, part);
  }
  return hash.digest("hex");
}

async function putObject(port: number, path: string): Promise<void> {
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: "us-east-1",
    credentials: { accessKeyId: "holdfast", secretAccessKey: SECRET },
  });
  const Body = createReadStream(path, { highWaterMark: 1 << 20 });
  await s3.send(
    new PutObjectCommand({ Bucket: "videos", Key: "object", Body, ContentLength: OBJECT_BYTES }),
  );
  s3.destroy();
}

/** The most a process ever held, in MB. */
function peakOf({ pid }: Process): number {
  const [, kilobytes = "0"] =
    /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (Number(kilobytes) * 1024) / MB;
}

function nameOf(command: string): string {
  if (command.includes("--permission")) return "keep";
  return /apps\/(\S+)/.exec(command)?.[1] ?? command;
}
