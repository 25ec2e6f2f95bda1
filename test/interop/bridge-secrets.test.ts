// What passes through the bridge in secret is on no disk and in no log afterwards, however the copy ended.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { BridgeClient, fetchTransport, type S3StreamBody } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import {
  type ObjectStore,
  startObjectStore,
} from "../../apps/cli/src/object-store/object-store.ts";
import { newS3Client } from "../../apps/control/src/s3-client.ts";
import { newIdentities, userPolicy, vodFunction } from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";

const BUCKET = "videos";
const credentials = { accessKeyId: "BRIDGE", secretAccessKey: "the-very-secret-of-the-bucket" };
const region = "us-east-1";

describe("secrets of copies", { concurrency: false }, () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-secrets-"));
  let store: ObjectStore;
  let world: World;
  let pid: number;
  let identities: Awaited<ReturnType<typeof newIdentities>>;
  let policy: string;

  before(async () => {
    store = await startObjectStore({
      directory,
      bucket: BUCKET,
      credentials: { ...credentials, region },
      listen: { host: "127.0.0.1", port: 0 },
      clock: systemClock,
    });
    const settings = { endpoint: store.url, region, force_path_style: true };
    const client = await newS3Client(settings, credentials);
    const Body = new Uint8Array(100_000);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "object", Body }));
    client.destroy();
    world = await makeWorld({ s3: settings });
    // As loud as it can be.
    const child = await world.spawn({ log_level: "debug" }, { logFile: "control.log" });
    pid = child.pid ?? 0;
    identities = await newIdentities();
    await world.ccfaas.registerFunction({ ...vodFunction("f"), programs: [], data_files: [] });
    const asked = userPolicy(identities, { function: "f" });
    ({ policy } = await world.ccfaas.createInstance(asked));
  });
  after(async () => {
    await world?.close();
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("are on no disk and in no log, whether copies end well or not", async () => {
    const bridge = new BridgeClient(fetchTransport(world.s3Url));
    const body = (filename: string): S3StreamBody => ({
      s3: {
        bucket: BUCKET,
        filename,
        region_name: region,
        aws_access_key_id: credentials.accessKeyId,
        aws_secret_access_key: credentials.secretAccessKey,
      },
      veracruz: {
        filename: `/s3_app_input/${filename}`,
        policy,
        certificate: identities.bridge.certificatePem,
        key: identities.bridge.keyPem,
      },
    });
    await bridge.copy(body("object"));
    await assert.rejects(bridge.copy(body("nothing")), /NoSuchKey/);
    const started = await bridge.startCopy(body("nothing"));
    assert.equal((await bridge.getCopy(started.id, { wait: 20 })).state, "failed");
    const files = filesUnder(world.directory);
    const log = files.find((path) => path.endsWith("control.log")) ?? "";
    assert.match(readFileSync(log, "utf8"), /object copied/);
    const pem = identities.bridge.keyPem;
    const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64");
    const secrets = [
      der,
      // Base64 of its own bytes, wherever lines break.
      Buffer.from(der.toString("base64").slice(20, 60)),
      Buffer.from(credentials.secretAccessKey),
    ];
    for (const path of files) {
      const bytes = readFileSync(path);
      for (const secret of secrets) assert.equal(bytes.includes(secret), false, path);
    }
    // Were it there, it would be seen: its certificate is, in the policies.
    assert.ok(files.some((path) => readFileSync(path).includes("BEGIN CERTIFICATE")));
  });

  it("would be in no core file either", () => {
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
    assert.match(limits, /^Max core file size +0 +0 /m);
  });
});

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}
