// From the video in the store to a keep that has proven itself.
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { newIdentity } from "@holdfast/channel";
import type { Check } from "@holdfast/core";
import { parsePolicy, policyHash } from "@holdfast/policy";
import { writeWholeFile } from "../files.ts";
import { judgeFreshEvidence, readSimulatedRoot, requireFresh } from "../keep/fresh-evidence.ts";
import { type KeepSession, openKeep, platformWord } from "../keep/session.ts";
import { createInstance } from "../services/create-instance.ts";
import { formatBytes } from "../terminal/progress.ts";
import { requireReviewed, reviewPolicy } from "../user-app/review-policy.ts";
import { vodUserPolicy } from "../user-app/vod-policy.ts";
import { type Instance, NAMES, type Scene } from "./job.ts";

/** The camera's encrypted video goes into the object store. */
export async function storeVideo({ story, stage, video }: Scene): Promise<void> {
  await story.step("Camera stores the encrypted video in S3", async () => {
    const { url, region, bucket, accessKeyId, secretAccessKey } = stage.store;
    const s3 = new S3Client({
      endpoint: url,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    try {
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: NAMES.object,
          Body: createReadStream(video.path, { highWaterMark: 1 << 20 }),
          ContentLength: video.bytes,
        }),
      );
    } finally {
      s3.destroy();
    }
    return {
      checked: `${formatBytes(video.bytes)} of AES-128-CTR ciphertext in ${bucket}/${NAMES.object}; the key stays with the user`,
      value: undefined,
    };
  });
}

/** The user makes identities and asks for an instance; the policy that comes back is reviewed. */
export async function requestInstance(
  scene: Scene,
  fileHashes: ReadonlyMap<string, string>,
): Promise<Instance> {
  const { story, stage, context, bundle } = scene;
  const { clock } = context;
  const { user, bridge } = await story.step(
    "User makes a temporary key for the S3 bridge",
    async () => ({
      checked: "P-256, self-signed; may write /s3_app_input/ of one keep and read nothing",
      value: {
        user: await newIdentity({ commonName: "demo user", clock, days: 2 }),
        bridge: await newIdentity({ commonName: "demo s3 bridge", clock, days: 2 }),
      },
    }),
  );
  const asked = vodUserPolicy({
    functionName: NAMES.function,
    instanceId: NAMES.instance,
    user,
    bridge,
  });
  // What the user knows by himself: he built the keep's bundle, and trusts this attestation authority.
  const { certificate_pem: authorityPem } = await stage.userAccess.attestation().authority();
  const ccfaas = stage.userAccess.ccfaas();
  const text = await story.step("CCFaaS and VaaS start a keep and provision it", async () => {
    const { policy } = await createInstance(context, ccfaas, asked);
    const state = await ccfaas.describeInstance(NAMES.instance);
    return {
      checked: `keep ${state.keep ?? ""} attested and serving; CCFaaS judged it, then loaded ${formatBytes(state.bytes_loaded)}`,
      value: policy,
    };
  });
  const expected = { asked, measurement: bundle.measurement, authorityPem, fileHashes };
  const policy = parsePolicy(text);
  const hash = await policyHash(text);
  await story.step("User reviews the policy that came back", async () => {
    const checks = reviewPolicy(policy, expected);
    requireReviewed(checks);
    await writeWholeFile(join(scene.results, "policy.json"), text);
    return { checked: checks.map(({ detail }) => detail).join("\n"), value: undefined };
  });
  return { user, bridge, asked, policy, policyHash: hash, expected };
}

/** The user connects and judges the keep, by its certificate and by fresh evidence. */
export async function judgeInstance(scene: Scene, instance: Instance): Promise<KeepSession> {
  const { story, context, stage } = scene;
  const session = await story.step("User connects to the keep and judges it", async () => {
    const opened = await openKeep(context, { policy: instance.policy, identity: instance.user });
    const { verdict } = opened;
    return {
      checked: [
        `${passed(verdict.checks)} checks passed: chain to the authority, measurement, policy hash, dates`,
        `policy hash  ${verdict.policyHash}`,
        `measurement  ${verdict.measurement}`,
        platformWord(verdict),
      ].join("\n"),
      value: opened,
    };
  });
  await story.step("User has the keep attest anew, over his own nonce", async () => {
    const fresh = await judgeFreshEvidence(session.keep, session.verdict, {
      clock: context.clock,
      simulatedRoot: await readSimulatedRoot(stage.platform.simulatedRootFile),
    });
    requireFresh(fresh.checks);
    return {
      checked: `${passed(fresh.checks)} checks of the Nitro document passed; it binds this connection's key and the policy; ${platformWord(fresh)}`,
      value: undefined,
    };
  });
  return session;
}

function passed(checks: readonly Check[]): number {
  return checks.filter(({ outcome }) => outcome === "passed").length;
}
