// From the key to the results: the control plane is killed on the way, and nothing is lost.
import { join } from "node:path";
import { verifyReceipt } from "@holdfast/channel";
import type { Run } from "@holdfast/contract";
import { CliError } from "../errors.ts";
import { readTextFile, writeWholeFile } from "../files.ts";
import { describeRun, requireSuccess, runProgram } from "../keep/run-program.ts";
import type { KeepSession } from "../keep/session.ts";
import { type Moved, sendFile } from "../keep/transfer.ts";
import { copyIntoKeep } from "../services/copy-into-keep.ts";
import { formatBytes } from "../terminal/progress.ts";
import { fetchDirectory } from "../user-app/fetch-outputs.ts";
import { VOD } from "../user-app/vod-policy.ts";
import { type DetectionReport, parseDetections } from "./detections.ts";
import { type Instance, NAMES, type Scene } from "./job.ts";
import { LineWriter } from "./line-writer.ts";

/** What the job gave. */
export interface JobOutcome {
  readonly run: Run;
  readonly outputs: readonly Moved[];
  readonly report: DetectionReport;
  readonly receiptFile: string;
  readonly receiptChecks: number;
}

/** Key and IV go in. */
export async function putKey(
  { story, context, video }: Scene,
  { keep }: KeepSession,
): Promise<void> {
  await story.step("User puts the decryption key into the keep", async () => {
    await sendFile(context, keep, { name: VOD.key, path: video.keyPath });
    await sendFile(context, keep, { name: VOD.iv, path: video.ivPath });
    return { checked: "over attested TLS 1.3, to the proven keep alone", value: undefined };
  });
}

/** The control plane is killed without a warning and started again. */
export async function killControlPlane(scene: Scene, { keep }: KeepSession): Promise<void> {
  const { story, stage } = scene;
  await story.step("The control plane is killed (kill -9) and restarted", async () => {
    const before = await keep.status();
    await stage.platform.control?.kill();
    await stage.platform.startControl();
    const ccfaas = stage.access.ccfaas();
    const functions = await ccfaas.listFunctions();
    const { state } = await ccfaas.describeInstance(NAMES.instance);
    const after = await keep.status();
    const keeps = await stage.access.vaas().keeps();
    const serving = keeps.keeps.filter((each) => each.state === "serving").length;
    if (
      serving !== 1 ||
      !functions.includes(NAMES.function) ||
      state !== "ready" ||
      after.started_at !== before.started_at
    ) {
      throw new CliError(
        "CLI_PROCESS",
        `after the restart: functions ${functions.join(", ") || "none"}, instance ${state}, ${serving} keeps, keep since ${after.started_at}`,
      );
    }
    return {
      checked: `it still knows function ${NAMES.function} and instance ${NAMES.instance} (${state}), VaaS its keep, which went on serving`,
      value: undefined,
    };
  });
}

/** The bridge streams the object from S3 into the keep. */
export async function streamVideo(
  { story, stage, context, video }: Scene,
  instance: Instance,
): Promise<void> {
  await story.step("S3 bridge streams the video into the keep", async () => {
    const { region, bucket, accessKeyId, secretAccessKey } = stage.store;
    await copyIntoKeep(context, stage.userAccess.bridge(), {
      s3: {
        region_name: region,
        bucket,
        filename: NAMES.object,
        aws_access_key_id: accessKeyId,
        aws_secret_access_key: secretAccessKey,
      },
      veracruz: {
        filename: VOD.video,
        policy: instance.policy.text,
        certificate: instance.bridge.certificatePem,
        key: instance.bridge.keyPem,
      },
    });
    return {
      checked: `${formatBytes(video.bytes)} of ciphertext; the bridge judged the keep before it sent a byte`,
      value: undefined,
    };
  });
}

/** The program runs; its output is shown as it is written. */
export async function runDetector({ story, context }: Scene, { keep }: KeepSession): Promise<Run> {
  return story.step("User runs the detector in the keep", async () => {
    const { terminal } = context;
    terminal.line();
    const writer = {
      stdout: new LineWriter((line) => terminal.line(`       │ ${line}`)),
      stderr: new LineWriter((line) => terminal.line(terminal.paint("dim", `       │ ${line}`))),
    };
    const run = await runProgram(context, keep, VOD.program, (stream, part) =>
      writer[stream].write(part),
    );
    for (const each of [writer.stdout, writer.stderr]) each.end();
    terminal.line();
    requireSuccess(VOD.program, run);
    return {
      checked: `${describeRun(run)}; nothing but the policy's files was in its reach`,
      value: run,
    };
  });
}

/** Pictures, detections and the signed receipt come out, and are held against one another. */
export async function fetchResults(
  scene: Scene,
  instance: Instance,
  { keep }: KeepSession,
  run: Run,
): Promise<JobOutcome> {
  const { story, context, results } = scene;
  const outputs = await story.step("User fetches pictures and detections", async () => {
    const moved = await fetchDirectory(context, keep, VOD.output, join(results, "pictures"));
    const bytes = moved.reduce((sum, each) => sum + each.bytes, 0);
    return {
      checked: `${moved.length} files, ${formatBytes(bytes)}; only this user may read them`,
      value: moved,
    };
  });
  const receiptFile = join(results, "receipt.jws");
  const receiptChecks = await story.step("User verifies the keep's signed receipt", async () => {
    const receipt = await keep.receipt(run.id);
    await writeWholeFile(receiptFile, receipt);
    const { checks, affirmed, claims } = await verifyReceipt({ receipt, policy: instance.policy });
    const signed = new Map(claims.outputs.map(({ path, sha256 }) => [path, sha256]));
    const other = outputs.find(({ name, sha256 }) => signed.get(name) !== sha256);
    const fault = checks.find(({ outcome }) => outcome === "failed")?.detail;
    if (!affirmed || other !== undefined || claims.run !== run.id) {
      throw new CliError(
        "CLI_NOT_VERIFIED",
        `the receipt does not hold: ${fault ?? other?.name ?? "another run"}`,
      );
    }
    return {
      checked: `${checks.length} checks: signed by the attested key; program, ${claims.inputs.length} inputs and all ${outputs.length} files here by SHA-256`,
      value: checks.length,
    };
  });
  const found = outputs.find(({ name }) => name === VOD.detections);
  if (found === undefined)
    throw new CliError("CLI_SERVICE", `the program left no ${VOD.detections}`);
  const report = parseDetections(await readTextFile(found.path, "detections"));
  return { run, outputs, report, receiptFile, receiptChecks };
}
