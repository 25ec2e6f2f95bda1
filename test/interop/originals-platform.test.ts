// The original services and programs, unchanged, with ours: the registration scripts and the user program against our
// services, our keep and our detector; the original CCFaaS on our VaaS; the original S3 service in front of our keep.
// Where an original has a bug that ends its work it is named, and the work goes as far as it does.
import assert from "node:assert/strict";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { freePorts } from "../e2e/free-ports.ts";
import { ROOT, type Running, start } from "../e2e/holdfast.ts";
import {
  copyOriginal,
  type Original,
  type OriginalRun,
  runOriginal,
  skipWithoutOriginals,
  startOriginal,
} from "../peers/originals.ts";

const VOD = resolve(ROOT, "examples/vod");
const MODEL = join(VOD, "dist/model");
/** The names of the original's bundle of the small model, and our files in their place. */
const BUNDLE = "small-iotex-demo-v1.3.3";
const SECRET = "a-secret-of-the-store";
const OBJECT = "in_enc.h264";

suite("the originals with ours", { skip: skipWithoutOriginals() }, () => {
  let directory: string;
  let platform: Running;
  let store: Running;
  let ccfaas: Original;
  let s3: Original;
  let user: string;
  let ports: { vaas: number; ccfaas: number; s3: number; store: number };
  const urlOf = (service: keyof typeof ports): string => `http://127.0.0.1:${ports[service]}`;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-originals-"));
    const free = await freePorts(7);
    const [attestation = 0, vaas = 0, ours = 0, bridge = 0, objects = 0, theirs = 0, app = 0] =
      free;
    ports = { vaas, ccfaas: ours, s3: bridge, store: objects };
    writeFileSync(join(directory, "secret"), SECRET);
    const place = { cwd: directory, lasting: true };
    const objectStore = ["serve", "object-store", "--port", String(objects)];
    store = start([...objectStore, "--secret-file", "secret"], place);
    const keeps = 32_400 + Math.floor(Math.random() * 300);
    const list = `attestation=${attestation},vaas=${vaas},ccfaas=${ours},s3=${bridge},keeps=${keeps}`;
    const up = ["up", "--local-development", "--ports", list, "--s3-endpoint", urlOf("store")];
    platform = start(up, place);
    user = copyOriginal("iotex-user-app", join(directory, "user"));
    await makeBundle(user);
    await makeIdentity(user, "PROG");
    await Promise.all([store.until(/Ctrl-C ends it/), platform.until(/Ctrl-C ends everything/)]);
    await putObject(urlOf("store"), readFileSync(join(user, BUNDLE, OBJECT)));
    ccfaas = await startOriginal("ccfaas", {
      directory: join(directory, "ccfaas"),
      port: theirs,
      environment: {
        VAAS_ACCESS_URL: urlOf("vaas"),
        PROGRAM_LOAD_CERTIFICATE: readFileSync(join(user, "PROGcert.pem"), "utf8").trimEnd(),
        PROGRAM_LOAD_CERTIFICATE_FILE: join(user, "PROGcert.pem"),
        PROGRAM_LOAD_KEY_FILE: join(user, "PROGkey.pem"),
      },
    });
    s3 = await startOriginal("s3", {
      directory: join(directory, "s3"),
      port: app,
      s3Endpoint: urlOf("store"),
    });
  });
  after(async () => {
    await Promise.all([ccfaas?.close(), s3?.close()]);
    for (const each of [platform, store]) each?.child.kill("SIGINT");
    await Promise.all([platform?.done, store?.done]);
    await rm(directory, { recursive: true, force: true });
  });

  const register = (url: string): Promise<OriginalRun> =>
    runOriginal(user, ["./register-function-small.sh", ...placeOf(url)]);
  const jobOf = (id: string, ccfaasUrl: string, s3Url: string): string[] => [
    "./iotex-user-app.py",
    ...["vod_small", id, ccfaasUrl, s3Url, "videos", OBJECT, `${BUNDLE}/key`, `${BUNDLE}/iv`],
    ...["region_name=us-east-1", "aws_access_key_id=holdfast", `aws_secret_access_key=${SECRET}`],
  ];
  const userApp = async (id: string, ccfaasUrl: string, s3Url: string): Promise<void> => {
    const run = await runOriginal(user, jobOf(id, ccfaasUrl, s3Url));
    assert.equal(run.code, 0, run.output);
    assertLines(run.output, linesOfUserApp(id, ccfaasUrl, s3Url));
    const picture = join(user, `${OBJECT}.output`);
    assert.deepEqual([...readFileSync(picture).subarray(0, 2)], [0xff, 0xd8]);
    rmSync(picture);
    // It ends the keep by fetching, and the instance after that.
    assert.deepEqual(await (await fetch(`${ccfaasUrl}/instance`)).json(), { instances: [] });
    assert.deepEqual(await (await fetch(`${urlOf("vaas")}/veracruz`)).json(), { veracruz: [] });
  };

  test("register-function-small.sh prints at our CCFaaS what the seed shows", async () => {
    const first = await register(urlOf("ccfaas"));
    assert.equal(first.code, 0);
    const [deleting = "", rest] = first.output.split("=============Registering function\n");
    assert.match(
      deleting,
      /^Acessing CCFaaS at 127\.0\.0\.1:\d+\n=============Deleting function\n/,
    );
    // What the seed shows here is the original's sentence, which ours is not: see docs/reference/originals.md.
    assert.match(deleting, /"code":"FUNCTION_NOT_FOUND"/);
    assert.equal(rest, await provisioned());
    const second = await register(urlOf("ccfaas"));
    const [deleted = "", again] = second.output.split("=============Registering function\n");
    assert.match(deleted, /\n<p>Function vod_small deleted<\/p>\n$/);
    assert.equal(again, rest);
  });

  test("iotex-user-app.py and execute_program.sh go through with our services, client and keep", () =>
    userApp("0", urlOf("ccfaas"), urlOf("s3")));

  test("ccfaas-server.py, its load scripts and iotex-s3-app.py work around our VaaS and keep", async () => {
    const { output } = await register(ccfaas.url);
    assert.match(output, /\n<p>Veracruz instance 'vod_small' does not existe!<\/p>\n/);
    assert.equal(output.split("=============Registering function\n")[1], await provisioned());
    // What the seed says that veracruz-client knows; the bridge's certificate is on a curve, as the program makes it.
    await makeIdentity(user, "USER", ["genrsa", "-out"]);
    await userApp("1", ccfaas.url, s3.url);
    assert.match(ccfaas.log(), /Submitting <enclave>\/\/program_data\/yolov3\.weights from /);
    assert.match(s3.log(), /subprocess ended with retcode=0/);
  });

  test("iotex-user-app.py tells of wrong credentials, and ends the instance", async () => {
    const job = jobOf("2", urlOf("ccfaas"), urlOf("s3"));
    const run = await runOriginal(user, [...job.slice(0, -1), "aws_secret_access_key=another"]);
    assert.equal(run.code, 0, run.output);
    assertLines(run.output, [
      `Creating s3 app URL=${urlOf("s3")}/s3_stream_veracruz`,
      /^Http request to S3 app returned .*"code":"S3_READ_FAILED"/,
      `Deleting instance URL=${urlOf("ccfaas")}/instance/2`,
    ]);
    assert.deepEqual(await (await fetch(`${urlOf("vaas")}/veracruz`)).json(), { veracruz: [] });
  });

  test("register-function-example.sh ends with ours where it ends with the original", async () => {
    // It wants three arguments for two, and what it registers lacks members that its own service requires.
    const ends = await Promise.all(
      [urlOf("ccfaas"), ccfaas.url].map(async (url) => {
        const place = placeOf(url);
        const run = await runOriginal(user, ["./register-function-example.sh", ...place, ""]);
        return { ...run, output: run.output.replaceAll(place.join(":"), "HOST:PORT") };
      }),
    );
    assert.deepEqual(ends[0], ends[1]);
    assert.equal(ends[0]?.code, 1);
    assert.match(ends[0]?.output ?? "", /\nError code 400 unexpectly received\n$/);
  });

  /** What a registration prints after the function before it is gone: the definition as jq shows it, and sentences. */
  async function provisioned(): Promise<string> {
    const hash = (name: string): string =>
      createHash("sha256")
        .update(readFileSync(join(user, BUNDLE, name)))
        .digest("hex");
    const definition = readFileSync(join(user, "function_policy_small.json"), "utf8")
      .replace("PROGRAM_HASH", hash("detector.wasm"))
      .replace("COCO_HASH", hash("coco.names"))
      .replace("YOLOV3_CFG_HASH", hash("yolov3-tiny.cfg"))
      .replace("YOLOV3_WEIGHTS_HASH", hash("yolov3-tiny.weights"));
    writeFileSync(join(user, "definition.json"), definition);
    const { output } = await runOriginal(user, ["jq", "--sort-keys", ".", "definition.json"]);
    const data = ["coco.names", "yolov3.cfg", "yolov3.weights"].map(
      (name) => `<p>data_file /program_data/${name} loaded!</p>\n`,
    );
    return [
      output,
      "=============Provisioning program\n<p>function loaded!</p>\n",
      "=============Provisioning data\n",
      ...data,
    ].join("");
  }

  /** What the seed shows of a run, with our detector's video and one line that veracruz-client does not have. */
  function linesOfUserApp(id: string, ccfaasUrl: string, s3Url: string): (string | RegExp)[] {
    const client = `${user}/veracruz-client policy_${id}`;
    const me = "--identity USERcert.pem --key USERkey.pem";
    const files = `${BUNDLE}/key ${BUNDLE}/iv`;
    const picture = `/output/prediction.0.jpg=${OBJECT}.output`;
    return [
      "User certificate loaded from USERcert.pem and key from USERkey.pem",
      "S3 certificate created",
      `Creating instance URL=${ccfaasUrl}/instance`,
      "Response = <Response [200]>",
      `Writing policy to policy_${id}`,
      `Creating s3 app URL=${s3Url}/s3_stream_veracruz`,
      `execute: ./execute_program.sh policy_${id} USERcert.pem USERkey.pem /output/prediction.0.jpg ${OBJECT}.output /program/detector.wasm ${files}`,
      `${client} --data /user_input/key=${BUNDLE}/key --data /user_input/iv=${BUNDLE}/iv ${me}`,
      `${client} --compute /program/detector.wasm ${me}`,
      `${client} --result stdout=- --result stderr=- --result ${picture} ${me}`,
      new RegExp(`^Loaded policy policy_${id} ${hashOf(`policy_${id}`)}$`),
      /^Connecting to 127\.0\.0\.1:\d+$/,
      /^keep proven: \d+ checks passed, SIMULATED platform/,
      "Reading <enclave>/stdout into <stdout>",
      "Decrypting video...",
      "Initializing detector...",
      /^Arguments loaded and network parsed: [\d.]+ seconds$/,
      "Starting decoding...",
      "Image 0 ===========================",
      "Detection probabilities:",
      "Saving prediction to output/prediction.0.jpg...",
      /^Finished decoding: [\d.]+ seconds$/,
      "Reading <enclave>/stderr into <stdout>",
      "layer     filters    size              input                output",
      "Loading weights from program_data/yolov3.weights...Done!",
      /^Frames:\s+\d+$/,
      `Reading <enclave>//output/prediction.0.jpg into ${OBJECT}.output`,
      "Shutting down enclave",
      `Deleting instance URL=${ccfaasUrl}/instance/${id}`,
    ];
  }

  function hashOf(name: string): string {
    return createHash("sha256")
      .update(readFileSync(join(user, name)))
      .digest("hex");
  }
});

function placeOf(url: string): [string, string] {
  const { hostname, port } = new URL(url);
  return [hostname, port];
}

/** The expected lines stand in the output in their order; others may stand between them. */
function assertLines(output: string, expected: readonly (string | RegExp)[]): void {
  const lines = output.split("\n");
  let at = 0;
  for (const line of expected) {
    const found = lines.findIndex(
      (each, index) => index >= at && (typeof line === "string" ? each === line : line.test(each)),
    );
    assert.notEqual(found, -1, `no line ${line} after line ${at} of:\n${output}`);
    at = found + 1;
  }
}

/** Key and certificate as the originals make them: openssl with their configuration, so all have one name. */
async function makeIdentity(
  directory: string,
  name: string,
  newKey: readonly string[] = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"],
): Promise<void> {
  const [key, certificate] = [`${name}key.pem`, `${name}cert.pem`];
  for (const argv of [
    [...newKey, key],
    ["req", "-x509", "-key", key, "-out", certificate, "-config", "cert.conf"],
  ]) {
    const { code, output } = await runOriginal(directory, ["openssl", ...argv]);
    assert.equal(code, 0, output);
  }
}

/** The bundle that the registration script would download: our detector, model, and sample under the names in it. */
async function makeBundle(user: string): Promise<void> {
  const bundle = join(user, BUNDLE);
  mkdirSync(bundle);
  cpSync(join(VOD, "dist/detector.wasm"), join(bundle, "detector.wasm"));
  cpSync(join(MODEL, "coco.names"), join(bundle, "coco.names"));
  cpSync(join(MODEL, "yolov3.cfg"), join(bundle, "yolov3-tiny.cfg"));
  cpSync(join(MODEL, "yolov3.weights"), join(bundle, "yolov3-tiny.weights"));
  const [key, iv] = [randomBytes(16), randomBytes(16)];
  writeFileSync(join(bundle, "key"), key);
  writeFileSync(join(bundle, "iv"), iv);
  const cipher = createCipheriv("aes-128-ctr", key, iv);
  const video = readFileSync(join(VOD, "sample/faces.h264"));
  writeFileSync(join(bundle, OBJECT), cipher.update(video));
}

async function putObject(endpoint: string, body: Uint8Array): Promise<void> {
  const credentials = { accessKeyId: "holdfast", secretAccessKey: SECRET };
  const client = new S3Client({ endpoint, forcePathStyle: true, region: "us-east-1", credentials });
  await client.send(new PutObjectCommand({ Bucket: "videos", Key: OBJECT, Body: body }));
  client.destroy();
}
