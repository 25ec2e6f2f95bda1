// `holdfast user-app`: the seed's end-user program, same arguments, steps and lines. Unlike it, it reviews the policy and
// judges the keep before anything goes in, fetches more than the first picture, and fails when a step fails.
import { basename } from "node:path";
import type { Run } from "@holdfast/contract";
import type { Check } from "@holdfast/core";
import { messageOf } from "@holdfast/core";
import { parsePolicy, policyHash } from "@holdfast/policy";
import type { Command } from "commander";
import type { Access } from "../access/access.ts";
import { type AccessOptions, openAccess, withAccess } from "../access/options.ts";
import { newCommand, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { readSmallFile, readTextFile, writeWholeFile } from "../files.ts";
import { describeRun, requireSuccess, runProgram } from "../keep/run-program.ts";
import { openKeep, verdictLine } from "../keep/session.ts";
import { fetchFile, type Moved, sendFile } from "../keep/transfer.ts";
import { parseServiceUrl, SERVICE_URL_WORDS } from "../services/addresses.ts";
import { copyIntoKeep } from "../services/copy-into-keep.ts";
import { createInstance, interruptedMeanwhile } from "../services/create-instance.ts";
import { fetchDirectory } from "../user-app/fetch-outputs.ts";
import { requireReviewed, reviewPolicy } from "../user-app/review-policy.ts";
import { readS3Access, type S3Access } from "../user-app/s3-arguments.ts";
import { bridgeIdentity, userIdentity } from "../user-app/user-files.ts";
import { VOD, vodUserPolicy } from "../user-app/vod-policy.ts";

interface UserAppOptions extends AccessOptions {
  readonly outputDir?: string;
  readonly receipt?: string;
  readonly measurement?: string;
  readonly authority?: string;
}

interface Job {
  readonly functionName: string;
  readonly instanceId: string;
  readonly ccfaasUrl: string;
  readonly bridgeUrl: string;
  readonly bucket: string;
  readonly object: string;
  readonly keyPath: string;
  readonly ivPath: string;
  readonly s3: S3Access;
  readonly access: Access;
  readonly options: UserAppOptions;
}

/** `user-app FUNCTION ID CCFAAS_URL S3_URL BUCKET OBJECT KEY IV [k=v ...]`. */
export function userAppCommand(context: Context): Command {
  return withAccess(
    newCommand("user-app", {
      summary: "have a video in S3 processed in a keep (the seed's end-user program)",
      description:
        "Makes an instance of FUNCTION, checks its policy and its keep, has the bridge stream the encrypted object into it,\n" +
        "puts in key and IV, runs the program, reads its output and ends the instance.\n" +
        "USERcert.pem and USERkey.pem are made in the working directory when they are missing. At the https addresses\n" +
        "of a profile the profile's authority and token are used.",
      examples: [
        "holdfast user-app vod_small 0 http://127.0.0.1:5010 http://127.0.0.1:5020 videos in_enc.h264 key iv region_name=us-east-1 aws_access_key_id=ID aws_secret_access_key=@secret.txt",
        "holdfast user-app vod 1 http://127.0.0.1:5010 http://127.0.0.1:5020 videos in_enc.h264 key iv --output-dir results --receipt run.receipt",
      ],
    }),
  )
    .argument("<function>", "name of a function registered at CCFaaS")
    .argument(
      "<id>",
      "unique name of the instance",
      parsed(parseId, "a name of letters, digits, . _ -"),
    )
    .argument("<ccfaas-url>", "address of CCFaaS", parsed(parseServiceUrl, SERVICE_URL_WORDS))
    .argument("<s3-url>", "address of the S3 bridge", parsed(parseServiceUrl, SERVICE_URL_WORDS))
    .argument("<bucket>", "bucket of the encrypted video")
    .argument("<object>", "its name in the bucket")
    .argument("<key>", "file with the decryption key, 16 bytes")
    .argument("<iv>", "file with the initialisation vector, 16 bytes")
    .argument(
      "[s3...]",
      "region_name=, aws_access_key_id=, aws_secret_access_key=; @FILE reads a value from a file",
    )
    .option("--output-dir <dir>", "fetch every picture and detections.json into this folder")
    .option("--receipt <file>", "write the keep's signed receipt of the run")
    .option(
      "--measurement <hex>",
      "the keep's measurement that you know (holdfast keep measure)",
      parsed(parseDigest, "64 hexadecimal digits"),
    )
    .option("--authority <pem>", "certificate of the attestation authority that you know")
    .action(async (...values: unknown[]) => {
      const [functionName, instanceId, ccfaasUrl, bridgeUrl, bucket, object, keyPath, ivPath] =
        values as string[];
      const s3 = await readS3Access((values[8] as string[] | undefined) ?? []);
      const options = values[9] as UserAppOptions;
      const access = await openAccess(context, options);
      const job = {
        functionName,
        instanceId,
        ccfaasUrl,
        bridgeUrl,
        bucket,
        object,
        keyPath,
        ivPath,
      };
      await runUserApp(context, { ...(job as Job), s3, access, options });
    });
}

async function runUserApp(context: Context, job: Job): Promise<void> {
  const { terminal, clock } = context;
  const { instanceId, options } = job;
  for (const path of [job.keyPath, job.ivPath]) await readSmallFile(path, "key or IV file", 4096);
  const user = await userIdentity(clock);
  terminal.line(`User certificate loaded from ${user.certificate} and key from ${user.key}`);
  const bridge = await bridgeIdentity(clock, instanceId);
  terminal.line("S3 certificate created");
  const asked = vodUserPolicy({ ...job, user, bridge });
  const ccfaas = job.access.ccfaas(job.ccfaasUrl);
  terminal.line(`Creating instance URL=${job.ccfaasUrl}/instance`);
  const { policy: text } = await createInstance(context, ccfaas, asked).catch((thrown: unknown) => {
    throw context.interrupted.aborted ? interruptedMeanwhile(instanceId) : thrown;
  });
  terminal.line("Response = <Response [200]>");
  let failure: unknown;
  let done: Awaited<ReturnType<typeof useInstance>> | undefined;
  try {
    const policyFile = `policy_${instanceId}`;
    terminal.line(`Writing policy to ${policyFile}`);
    await writeWholeFile(policyFile, text);
    const policy = parsePolicy(text);
    const checks = reviewPolicy(policy, {
      asked,
      ...(options.measurement === undefined ? {} : { measurement: options.measurement }),
      ...(options.authority === undefined
        ? {}
        : { authorityPem: await readTextFile(options.authority, "authority certificate") }),
    });
    tellReview(context, checks);
    requireReviewed(checks);
    done = await useInstance(context, job, { policyFile, policy, user, bridge });
  } catch (thrown) {
    failure = thrown;
  }
  terminal.line(`Deleting instance URL=${job.ccfaasUrl}/instance/${instanceId}`);
  await ccfaas.deleteInstance(instanceId).catch((thrown: unknown) => {
    terminal.note(`the instance could not be deleted: ${messageOf(thrown)}`);
    failure ??= thrown;
  });
  if (failure !== undefined) throw failure;
  terminal.result({ ok: true, instance: instanceId, ...done });
}

async function useInstance(
  context: Context,
  job: Job,
  {
    policyFile,
    policy,
    user,
    bridge,
  }: {
    policyFile: string;
    policy: ReturnType<typeof parsePolicy>;
    user: Awaited<ReturnType<typeof userIdentity>>;
    bridge: Awaited<ReturnType<typeof bridgeIdentity>>;
  },
): Promise<object> {
  const { terminal } = context;
  const hash = await policyHash(policy.text);
  terminal.line(`Loaded policy ${policyFile} ${hash}`);
  terminal.line(`Connecting to ${policy.serverUrl.host}:${policy.serverUrl.port}`);
  // Judged here, before the bridge is told anything; and again on every connection.
  using session = await openKeep(context, { policy, identity: user });
  terminal.line(verdictLine(session.verdict));
  await streamFromS3(context, job, policy.text, bridge);
  const { keep } = session;
  const firstOutput = `${basename(job.object)}.output`;
  terminal.line(
    `execute: ${policyFile} ${user.certificate} ${user.key} ${VOD.firstPicture} ${firstOutput} ${VOD.program} ${job.keyPath} ${job.ivPath}`,
  );
  for (const [name, path] of [
    [VOD.key, job.keyPath],
    [VOD.iv, job.ivPath],
  ] as const) {
    terminal.line(`Submitting <enclave>/${name} from ${path}`);
    await sendFile(context, keep, { name, path });
  }
  terminal.line(`Requesting compute of <enclave>/${VOD.program}`);
  const run = await runProgram(context, keep, VOD.program);
  for (const stream of ["stdout", "stderr"] as const) {
    terminal.line(`Reading <enclave>/${stream} into <stdout>`);
    for await (const part of await keep.runStream(run.id, stream)) {
      if (!terminal.json) await terminal.bytes("stdout", part);
    }
  }
  terminal.line(`Program ended: ${describeRun(run)}`);
  if (job.options.receipt !== undefined) {
    await writeWholeFile(job.options.receipt, await keep.receipt(run.id));
    terminal.line(`Receipt in ${job.options.receipt}`);
  }
  requireSuccess(VOD.program, run);
  const outputs = await fetchResults(context, job, keep, firstOutput);
  terminal.line("Shutting down enclave");
  await keep.shutdown();
  return summary(session.verdict, hash, run, outputs);
}

async function fetchResults(
  context: Context,
  { options }: Job,
  keep: Awaited<ReturnType<typeof openKeep>>["keep"],
  firstOutput: string,
): Promise<Moved[]> {
  const { terminal } = context;
  terminal.line(`Reading <enclave>/${VOD.firstPicture} into ${firstOutput}`);
  const first = await fetchFile(context, keep, { name: VOD.firstPicture, path: firstOutput }, () =>
    Promise.resolve(),
  );
  if (options.outputDir === undefined) return [first];
  terminal.line(`Reading <enclave>/${VOD.output} into ${options.outputDir}`);
  return [first, ...(await fetchDirectory(context, keep, VOD.output, options.outputDir))];
}

async function streamFromS3(
  context: Context,
  job: Job,
  policy: string,
  bridge: { certificatePem: string; keyPem: string },
): Promise<void> {
  const { terminal } = context;
  terminal.line(`Creating s3 app URL=${job.bridgeUrl}/s3_stream_veracruz`);
  try {
    await copyIntoKeep(context, job.access.bridge(job.bridgeUrl), {
      s3: { ...job.s3, bucket: job.bucket, filename: job.object },
      veracruz: {
        filename: VOD.video,
        policy,
        certificate: bridge.certificatePem,
        key: bridge.keyPem,
      },
    });
  } catch (thrown) {
    terminal.line(`Http request to S3 app returned ${messageOf(thrown)}`);
    throw thrown;
  }
}

function tellReview({ terminal }: Context, checks: readonly Check[]): void {
  for (const { name, outcome, detail } of checks) {
    if (outcome !== "passed") terminal.line(`${name}: ${outcome}: ${detail}`);
  }
}

function summary(
  verdict: {
    platform: string;
    simulated: boolean;
    measurement: string | undefined;
    checks: readonly Check[];
  },
  policyHashHex: string,
  run: Run,
  outputs: readonly Moved[],
): object {
  return {
    policy_hash: policyHashHex,
    platform: verdict.platform,
    simulated: verdict.simulated,
    measurement: verdict.measurement ?? null,
    checks: verdict.checks,
    run,
    outputs,
  };
}

function parseId(text: string): string | undefined {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text) && !text.startsWith(".") ? text : undefined;
}

function parseDigest(text: string): string | undefined {
  return /^[0-9a-fA-F]{64}$/.test(text) ? text.toLowerCase() : undefined;
}
