// How fast big files go, and how much memory the control plane takes for it: a data file through CCFaaS into a keep, an
// object from a real S3 store (Debian's Swift) through the bridge, and the same bytes put into the keep directly.
// Usage: node bench/control/big-files.ts [--data-mib 250] [--object-mib 500]
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { connectKeep } from "@holdfast/channel";
import { BridgeClient, fetchTransport, KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import {
  FILES,
  newIdentities,
  PROGRAM,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { startSwift } from "../../test/peers/swift.ts";
import { startRealPlatform } from "../../test/platform/real-platform.ts";

const MIB = 1 << 20;
const PART = new Uint8Array(MIB).map((_, index) => index * 7);
const { values } = parseArgs({
  options: {
    "data-mib": { type: "string", default: "250" },
    "object-mib": { type: "string", default: "500" },
  },
});
const dataMib = Number(values["data-mib"]);
const objectMib = Number(values["object-mib"]);

const swift = await startSwift();
const platform = await startRealPlatform({
  s3: { endpoint: swift.endpoint, force_path_style: true, region: swift.region },
});
try {
  await measure();
} finally {
  await platform.close();
  await swift.close();
}

async function measure(): Promise<void> {
  const { ccfaas, s3Url } = platform.world;
  tell("control plane at rest", 0, 0);
  const definition = {
    ...vodFunction("big"),
    max_memory_mib: 4000,
    data_files: [{ data_file: "/program_data/big", pi_hash: hashOf(dataMib) }],
  };
  await ccfaas.registerFunction(definition);
  await ccfaas.uploadProgram("big", PROGRAM, FILES[PROGRAM] ?? new Uint8Array());
  await timed("upload to CCFaaS", dataMib, () =>
    ccfaas.uploadDataFile("big", "/program_data/big", parts(dataMib)),
  );
  const identities = await newIdentities();
  const policyText = await timed("instance, provisioned", dataMib, async () => {
    const { policy } = await ccfaas.createInstance(userPolicy(identities, { function: "big" }));
    return policy;
  });
  await putObject();
  const bridge = new BridgeClient(fetchTransport(s3Url));
  await timed("S3 through the bridge into the keep", objectMib, () =>
    bridge.copy({
      s3: {
        bucket: "bench",
        filename: "object",
        aws_access_key_id: swift.accessKeyId,
        aws_secret_access_key: swift.secretAccessKey,
      },
      veracruz: {
        filename: "/s3_app_input/object",
        policy: policyText,
        certificate: identities.bridge.certificatePem,
        key: identities.bridge.keyPem,
      },
    }),
  );
  const connection = await connectKeep({
    policy: parsePolicy(policyText),
    identity: identities.bridge,
    clock: systemClock,
  });
  await timed("the same bytes into the keep directly", objectMib, () =>
    new KeepClient(connection).putFile("/s3_app_input/direct", parts(objectMib), {
      size: objectMib * MIB,
    }),
  );
  connection.close();
}

async function putObject(): Promise<void> {
  const s3 = new S3Client({
    endpoint: swift.endpoint,
    region: swift.region,
    forcePathStyle: true,
    credentials: swift,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  const Bucket = "bench";
  const Key = "object";
  await s3.send(new CreateBucketCommand({ Bucket }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const done: { PartNumber: number; ETag: string | undefined }[] = [];
  const partMib = 64;
  for (let at = 0; at < objectMib; at += partMib) {
    const PartNumber = at / partMib + 1;
    const Body = Buffer.concat(Array<Uint8Array>(Math.min(partMib, objectMib - at)).fill(PART));
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }),
    );
    done.push({ PartNumber, ETag });
  }
  await s3.send(
    new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts: done },
    }),
  );
  s3.destroy();
}

async function timed<T>(what: string, mib: number, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  tell(what, mib, (performance.now() - start) / 1000);
  return result;
}

function tell(what: string, mib: number, seconds: number): void {
  const rate =
    seconds === 0
      ? ""
      : `${mib} MiB in ${seconds.toFixed(2)} s, ${(mib / seconds).toFixed(0)} MiB/s`;
  console.log(`${what.padEnd(38)} ${rate.padEnd(36)} control plane's peak ${peakMib()} MiB`);
}

function peakMib(): number {
  const status = readFileSync(`/proc/${platform.control.pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

function hashOf(mib: number): string {
  const hash = createHash("sha256");
  for (let each = 0; each < mib; each += 1) hash.update(PART);
  return hash.digest("hex");
}

async function* parts(mib: number): AsyncGenerator<Uint8Array> {
  for (let each = 0; each < mib; each += 1) yield PART;
}
