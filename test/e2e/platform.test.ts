// `holdfast up` with the commands that people use on it: an administrator, a user with the seed's program, and one with
// veracruz-client's options.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { encryptSample, putObject, SECRET, VOD } from "./encrypted-sample.ts";
import { freePorts } from "./free-ports.ts";
import {
  eventually,
  isAlive,
  processesOf,
  type Ran,
  type Running,
  run,
  start,
} from "./holdfast.ts";

const DATA = ["coco.names", "yolov3.cfg", "yolov3.weights"];

suite("holdfast up", () => {
  let directory: string;
  let platform: Running;
  let store: Running;
  const ports = { attestation: 0, vaas: 0, ccfaas: 0, s3: 0, keeps: 0, store: 0 };
  let urls: { ccfaas: string; s3: string };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
    const free = await freePorts(5);
    Object.assign(ports, {
      attestation: free[0],
      vaas: free[1],
      ccfaas: free[2],
      s3: free[3],
      store: free[4],
    });
    ports.keeps = 31_200 + Math.floor(Math.random() * 500);
    urls = { ccfaas: `https://127.0.0.1:${ports.ccfaas}`, s3: `https://127.0.0.1:${ports.s3}` };
    writeFileSync(join(directory, "secret"), SECRET);
    store = start(
      ["serve", "object-store", "--port", String(ports.store), "--secret-file", "secret"],
      {
        cwd: directory,
        lasting: true,
      },
    );
    platform = startPlatform();
    await Promise.all([store.until(/Ctrl-C ends it/), platform.until(/Ctrl-C ends everything/)]);
    await encryptSample(directory);
    await putObject(ports.store, "in_enc.h264", readFileSync(join(directory, "in_enc.h264")));
  });
  after(async () => {
    for (const each of [platform, store]) each.child.kill("SIGINT");
    await Promise.all([platform.done, store.done]);
    await rm(directory, { recursive: true, force: true });
  });

  function startPlatform(): Running {
    const { store: storePort, ...own } = ports;
    const list = Object.entries(own).map(([name, port]) => `${name}=${port}`);
    const endpoint = ["--s3-endpoint", `http://127.0.0.1:${storePort}`];
    return start(["up", "--ports", list.join(","), ...endpoint], {
      cwd: directory,
      lasting: true,
    });
  }

  const holdfast = (...argv: string[]): Promise<Ran> => run(argv, { cwd: directory });
  const userApp = (id: string, ...more: string[]): Promise<Ran> =>
    holdfast(
      "user-app",
      "vod_small",
      id,
      urls.ccfaas,
      urls.s3,
      "videos",
      "in_enc.h264",
      "key",
      "iv",
      "region_name=us-east-1",
      "aws_access_key_id=holdfast",
      ...more,
    );

  test("an administrator registers, looks and uploads", async () => {
    const data = DATA.flatMap((name) => [
      "--data",
      `/program_data/${name}=${VOD}/dist/model/${name}`,
    ]);
    const file = join(VOD, "function.json");
    const program = ["--program", `/program/detector.wasm=${VOD}/dist/detector.wasm`];
    const partly = await holdfast("function", "register", file, ...program, ...data.slice(0, 4));
    // The weights are not at hand: the definition has no hash for them, and nothing may be registered.
    assert.equal(partly.code, 1);
    assert.match(partly.stderr, /\/data_files\/2/);
    assert.equal((await holdfast("function", "list")).stdout, "");
    const whole = await holdfast("function", "register", file, ...program, ...data);
    assert.equal(whole.code, 0, whole.stderr);
    const shown = await holdfast("function", "show", "vod_small");
    assert.match(shown.stdout, /vod_small: provisioned/);
    const again = await holdfast("function", "register", file, ...program, ...data);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /FUNCTION_EXISTS/);
    const changed = readFileSync(join(VOD, "dist/detector.wasm"));
    changed[100] = (changed[100] ?? 0) ^ 1;
    writeFileSync(join(directory, "changed.wasm"), changed);
    const upload = await holdfast(
      "function",
      "upload",
      "vod_small",
      "--program",
      "/program/detector.wasm=changed.wasm",
    );
    assert.equal(upload.code, 1);
  });

  test("a user runs the seed's program", async () => {
    const more = [
      `aws_secret_access_key=@secret`,
      "--output-dir",
      "out",
      "--receipt",
      "run.receipt",
    ];
    const { code, stdout, stderr } = await userApp("0", ...more);
    assert.equal(code, 0, stdout + stderr);
    let at = 0;
    for (const line of [
      "User certificate loaded from USERcert.pem and key from USERkey.pem",
      "S3 certificate created",
      `Creating instance URL=${urls.ccfaas}/instance`,
      "Response = <Response [200]>",
      "Writing policy to policy_0",
      "Loaded policy policy_0 ",
      "Connecting to 127.0.0.1:",
      "keep proven: 12 checks passed, SIMULATED platform",
      `Creating s3 app URL=${urls.s3}/s3_stream_veracruz`,
      "execute: policy_0 USERcert.pem USERkey.pem /output/prediction.0.jpg in_enc.h264.output /program/detector.wasm key iv",
      "Reading <enclave>/stdout into <stdout>",
      "Decrypting video...",
      "Reading <enclave>/stderr into <stdout>",
      "Reading <enclave>//output/prediction.0.jpg into in_enc.h264.output",
      "Shutting down enclave",
      `Deleting instance URL=${urls.ccfaas}/instance/0`,
    ]) {
      const found = stdout.indexOf(line, at);
      assert.ok(found >= 0, `${line} is missing after character ${at} of ${stdout}`);
      at = found;
    }
    assert.doesNotMatch(stdout + stderr, new RegExp(SECRET));
    for (const file of ["in_enc.h264.output", "out/prediction.11.jpg", "out/detections.json"]) {
      assert.ok(existsSync(join(directory, file)), file);
    }
    const receipt = await holdfast("receipt", "verify", "run.receipt", "--policy", "policy_0");
    assert.equal(receipt.code, 0, receipt.stderr);
    assert.match(receipt.stdout, /SIMULATED/);
    assert.equal((await holdfast("instance", "list", "--json")).stdout.includes('"ready"'), false);
  });

  test("a wrong S3 secret ends the seed's program with a failure, and the instance with it", async () => {
    const { code, stdout, stderr } = await userApp("1", "aws_secret_access_key=not-that-one");
    assert.equal(code, 1);
    assert.match(
      stdout,
      /Http request to S3 app returned Not able to read bucket videos file in_enc.h264 from S3: ClientError/,
    );
    assert.match(stdout, /Deleting instance URL=/);
    assert.match(stderr, /S3_READ_FAILED/);
    assert.doesNotMatch(stdout + stderr, /not-that-one/);
  });

  test("a wrong key makes the program fail, and the command with it", async () => {
    writeFileSync(join(directory, "wrong"), randomBytes(16));
    const line = [
      "user-app",
      "vod_small",
      "2",
      urls.ccfaas,
      urls.s3,
      "videos",
      "in_enc.h264",
      "wrong",
      "iv",
    ];
    const s3 = ["aws_access_key_id=holdfast", "aws_secret_access_key=@secret"];
    const { code, stdout, stderr } = await holdfast(...line, ...s3);
    assert.equal(code, 1);
    assert.match(stdout, /Program ended: exit code [1-9]/);
    assert.match(stderr, /CLI_PROGRAM/);
    assert.match(stdout, /Deleting instance URL=/);
  });

  test("an instance id that is taken is refused, and the instance stays", async () => {
    const identity = await holdfast("identity", "new", "CAM");
    assert.equal(identity.code, 0);
    const certificate = readFileSync(join(directory, "CAMcert.pem"), "utf8").trim();
    const rights = [
      { file_name: "/user_input/", rights: 534084 },
      { file_name: "/s3_app_input/", rights: 534084 },
      { file_name: "/output/", rights: 24582 },
      { file_name: "stdout", rights: 24582 },
      { file_name: "stderr", rights: 24582 },
      { file_name: "/program/", rights: 536879104 },
    ];
    const wanted = {
      function: "vod_small",
      instanceid: "cam",
      identities: [{ certificate, file_rights: rights }],
    };
    writeFileSync(join(directory, "user.json"), JSON.stringify(wanted));
    const created = await holdfast("instance", "create", "user.json", "--policy-out", "cam.json");
    assert.equal(created.code, 0, created.stderr);
    const again = await holdfast("instance", "create", "user.json", "--policy-out", "again.json");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /INSTANCE_EXISTS/);
    assert.ok(!existsSync(join(directory, "again.json")));
    const shown = await holdfast("instance", "show", "cam");
    assert.match(shown.stdout, /: ready/);
  });

  test("a client keeps veracruz-client's order, and the keep running with --no-shutdown", async () => {
    const me = ["client", "cam.json", "-i", "CAMcert.pem", "-k", "CAMkey.pem"];
    const nothing = await holdfast(...me);
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /Nothing to do/);
    const put = await holdfast(
      ...me,
      "--output",
      "stdout=-",
      "--datas",
      "/user_input/key=key,user_input/iv=iv",
      "-d",
      "/s3_app_input/in_enc.h264=in_enc.h264",
      "--computes",
      "program/detector.wasm",
      "--result",
      "/output/prediction.0.jpg=first.jpg",
      "-n",
      "--receipt",
      "cam.receipt",
    );
    assert.equal(put.code, 0, put.stderr);
    const order = put.stderr.split("\n").map((line) => line.split(" ")[0]);
    assert.deepEqual(
      order.filter((word) => word !== ""),
      [
        "Loaded",
        "Connecting",
        "keep",
        "Submitting",
        "Submitting",
        "Submitting",
        "Requesting",
        "Program",
        "Receipt",
        "Reading",
        "Reading",
      ],
    );
    assert.match(put.stdout, /Detection probabilities:/);
    assert.deepEqual([...readFileSync(join(directory, "first.jpg")).subarray(0, 2)], [0xff, 0xd8]);
    const input = readFileSync(join(directory, "key"), "latin1");
    const piped = await run([...me, "-d", "/user_input/note=-", "-n"], { cwd: directory, input });
    assert.equal(piped.code, 0, piped.stderr);
    assert.match(piped.stderr, /Submitting <enclave>\/\/user_input\/note from <stdin>/);
    const live = await holdfast(
      ...me,
      "--compute",
      "/program/detector.wasm",
      "--follow",
      "--quiet",
    );
    assert.equal(live.code, 0, live.stderr);
    assert.match(live.stdout, /Decrypting video/);
    const object = await holdfast(...me, "--result", "stdout=-", "--no-shutdown", "--json");
    const value = JSON.parse(object.stdout) as {
      simulated: boolean;
      shutdown: boolean;
      outputs: { content: string }[];
    };
    assert.deepEqual([value.simulated, value.shutdown], [true, false]);
    assert.match(value.outputs[0]?.content ?? "", /Decrypting video/);
  });

  test("a client refuses a keep that does not prove itself, unless told by name", async () => {
    const text = readFileSync(join(directory, "cam.json"), "utf8");
    const me = ["-i", "CAMcert.pem", "-k", "CAMkey.pem", "-o", "stdout=-", "-n"];
    writeFileSync(
      join(directory, "edited.json"),
      text.replace('"max_memory_mib": 2000', '"max_memory_mib": 2001'),
    );
    const edited = await holdfast("client", "edited.json", ...me);
    assert.equal(edited.code, 1);
    assert.match(edited.stderr, /CHANNEL_NOT_PROVEN/);
    assert.match(edited.stderr, /keep\.policy-hash: failed/);
    assert.equal(edited.stdout, "");
    const told = await holdfast("client", "edited.json", ...me, "--skip-check", "policy-hash");
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stderr, /SKIPPED keep\.policy-hash/);
    const measured = text.replace(
      /("runtime_manager_hash_nitro": ")[0-9a-f]{64}/,
      `$1${"0".repeat(64)}`,
    );
    writeFileSync(join(directory, "measured.json"), measured);
    const other = await holdfast("client", "measured.json", ...me, "--skip-check", "policy-hash");
    assert.equal(other.code, 1);
    assert.match(other.stderr, /keep\.measurement: failed/);
    const stranger = await holdfast("identity", "new", "STRANGER");
    assert.equal(stranger.code, 0);
    const refused = await holdfast(
      "client",
      "cam.json",
      "-i",
      "STRANGERcert.pem",
      "-k",
      "STRANGERkey.pem",
      "-o",
      "stdout=-",
    );
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /CHANNEL_(CLOSED|UNREACHABLE)/);
    const mixed = await holdfast(
      "client",
      "cam.json",
      "-i",
      "CAMcert.pem",
      "-k",
      "STRANGERkey.pem",
      "-s",
    );
    assert.equal(mixed.code, 1);
    assert.match(mixed.stderr, /CHANNEL_IDENTITY/);
  });

  test("what may not be read is refused, and leaves no file", async () => {
    const { code, stderr } = await holdfast(
      "client",
      "cam.json",
      "-i",
      "CAMcert.pem",
      "-k",
      "CAMkey.pem",
      "-o",
      "/user_input/key=stolen",
      "-n",
    );
    assert.equal(code, 1);
    assert.match(stderr, /RIGHTS_MISSING/);
    assert.ok(!existsSync(join(directory, "stolen")));
  });

  test("a second platform is not let into the data directory, and ends nothing in it", async () => {
    const before = (await holdfast("instance", "list")).stdout;
    assert.match(before, /ready/);
    const [attestation = 0, vaas = 0, ccfaas = 0, s3 = 0] = await freePorts(4);
    const others = { attestation, vaas, ccfaas, s3, keeps: ports.keeps + 100 };
    const list = Object.entries(others).map(([name, port]) => `${name}=${port}`);
    const second = await holdfast("up", "--ports", list.join(","));
    assert.equal(second.code, 1, second.stderr);
    assert.match(second.stderr, /DATA_IN_USE/);
    assert.equal((await holdfast("instance", "list")).stdout, before);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGKILL", null],
  ] as const) {
    test(`ends every process after ${signal}, and knows its functions when it is started again`, async () => {
      if (signal === "SIGKILL") {
        const created = await holdfast("instance", "create", "user.json");
        assert.equal(created.code, 0, created.stderr);
      }
      const processes = processesOf(platform.child.pid ?? 0, join(directory, "holdfast-data"));
      assert.ok(
        processes.some(({ command }) => command.includes("--permission")),
        "a keep runs",
      );
      platform.child.kill(signal);
      assert.equal((await platform.done).code, code);
      if (signal === "SIGINT") assert.deepEqual(processes.filter(isAlive), []);
      else await eventually("all processes end", () => !processes.some(isAlive));
      platform = startPlatform();
      await platform.until(/Ctrl-C ends everything/);
      assert.equal((await holdfast("function", "list")).stdout, "vod_small\n");
      const { stdout } = await holdfast("instance", "list");
      assert.doesNotMatch(stdout, /ready/);
    });
  }

  test("a port that is taken is named, and what listens there left alone", async () => {
    const taken = await holdfast("up", "--data-dir", "other", "--ports", `ccfaas=${ports.ccfaas}`);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, new RegExp(`port (${ports.ccfaas}|\\d+), for \\w+, is taken`));
    assert.equal((await holdfast("function", "list")).code, 0);
  });
});
