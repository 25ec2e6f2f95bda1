// Ways to cheat, tried for real; each must be refused, and for the right reason.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClientIdentity } from "@holdfast/channel";
import { newIdentity } from "@holdfast/channel";
import type { FunctionBody, KeepClient, VaasPolicyBody } from "@holdfast/contract";
import { normalizePath, type Policy, parsePolicy } from "@holdfast/policy";
import { CliError } from "../errors.ts";
import { openKeep } from "../keep/session.ts";
import { BUILT } from "../processes/checkout.ts";
import { requireReviewed, reviewPolicy } from "../user-app/review-policy.ts";
import { SEED_RIGHTS, VOD } from "../user-app/vod-policy.ts";
import { startHostileKeep } from "./hostile-keep.ts";
import { type Instance, NAMES, type Scene } from "./job.ts";
import { functionDefinition } from "./register-step.ts";

/** A keep of its own for cheats that need somebody with some rights. */
interface Playground {
  readonly policy: Policy;
  readonly insider: ClientIdentity;
  readonly name: string;
  readonly instanceHash: string;
}

/** Tries all of them. */
export async function tryToCheat(scene: Scene, instance: Instance): Promise<void> {
  const { story, context, stage } = scene;
  const definition = await functionDefinition(scene);
  const changed = await changedProgram();
  await story.cheat("a request without a token", { codes: ["ACCESS_UNKNOWN"] }, () =>
    stage.access.as(undefined).ccfaas().listFunctions(),
  );
  await story.cheat("a user's token at an administrator's door", { codes: ["ACCESS_DENIED"] }, () =>
    stage.userAccess.ccfaas().deleteFunction(NAMES.function),
  );
  await story.cheat(
    "a changed program byte, sent to CCFaaS",
    { codes: ["FILE_HASH_MISMATCH"] },
    async () => {
      const ccfaas = stage.access.ccfaas();
      const name = `${NAMES.function}-copy`;
      await ccfaas.registerFunction({ ...definition, function: name });
      await ccfaas.uploadProgram(name, VOD.program, changed);
    },
  );
  const playground = await startPlayground(scene, definition);
  const { policy, insider } = playground;
  {
    using session = await openKeep(context, { policy, identity: insider });
    await story.cheat(
      "a changed program byte, put into a keep",
      { codes: ["FILE_PIN_MISMATCH"] },
      () => session.keep.putFile(VOD.program, changed),
    );
    await story.cheat(
      "`..` in a path, to get at the program",
      { codes: ["REQUEST_INVALID"], says: "PATH_ESCAPE" },
      () => session.keep.putFile("/s3_app_input/../program/detector.wasm", changed),
    );
    await cheatWithWrongSecret(scene, playground, session.keep);
  }
  await story.cheat(
    "an identity outside the policy",
    { codes: ["CHANNEL_CLOSED", "CHANNEL_UNREACHABLE"] },
    async () => {
      const stranger = await newIdentity({ commonName: "stranger", clock: context.clock, days: 1 });
      using session = await openKeep(context, { policy: instance.policy, identity: stranger });
      await session.keep.status();
    },
  );
  await cheatWithOtherMeasurement(scene, instance);
  await cheatWithEditedPolicy(scene, instance);
  await stage.access.vaas().delete(playground.name, {
    instance_hash: playground.instanceHash,
    instance_id: PLAYGROUND_ID,
  });
}

const PLAYGROUND_ID = "demo-cheats";

async function startPlayground(
  { context, stage }: Scene,
  definition: FunctionBody,
): Promise<Playground> {
  const insider = await newIdentity({ commonName: "insider", clock: context.clock, days: 1 });
  const vaas = stage.access.vaas();
  const created = await vaas.create(playgroundPolicy(definition, insider), {
    signal: context.interrupted,
  });
  const policy = parsePolicy(created.policy);
  return {
    policy,
    insider,
    name: `veracruz-nitro-server:${policy.serverUrl.port}`,
    instanceHash: created.instance_hash,
  };
}

function playgroundPolicy(definition: FunctionBody, insider: ClientIdentity): VaasPolicyBody {
  const { write, read } = SEED_RIGHTS;
  return {
    instance_id: PLAYGROUND_ID,
    ciphersuite: "TLS1_3_CHACHA20_POLY1305_SHA256",
    debug: false,
    enable_clock: false,
    execution_strategy: definition.execution_strategy,
    max_memory_mib: 64,
    programs: definition.programs.map(({ file_rights, id, program_file_name }) => ({
      file_rights,
      id,
      program_file_name,
    })),
    identities: [
      {
        id: 0,
        certificate: insider.certificatePem,
        file_rights: [
          { file_name: "/program/", rights: write },
          { file_name: "/s3_app_input/", rights: write | read },
        ],
      },
    ],
    file_hashes: definition.programs.map(({ program_file_name, pi_hash }) => ({
      file_path: normalizePath(program_file_name),
      hash: pi_hash,
    })),
  };
}

async function cheatWithWrongSecret(
  { story, stage, context }: Scene,
  { policy, insider }: Playground,
  keep: KeepClient,
): Promise<void> {
  const { region, bucket, accessKeyId } = stage.store;
  await story.cheat(
    "a wrong S3 secret, given to the bridge",
    { codes: ["S3_READ_FAILED"], says: "SignatureDoesNotMatch" },
    () =>
      stage.userAccess.bridge().copy(
        {
          s3: {
            region_name: region,
            bucket,
            filename: NAMES.object,
            aws_access_key_id: accessKeyId,
            aws_secret_access_key: "not-the-secret-of-this-key-id",
          },
          veracruz: {
            filename: VOD.video,
            policy: policy.text,
            certificate: insider.certificatePem,
            key: insider.keyPem,
          },
        },
        { signal: context.interrupted },
      ),
  );
  const left = await keep.list("/s3_app_input/").then(
    ({ entries }) => entries.length,
    () => 0,
  );
  if (left > 0) {
    throw new CliError(
      "CLI_CHEAT_SUCCEEDED",
      "after the refusal of S3 a file was left in the keep",
    );
  }
}

/** A keep whose code was changed so that it no longer judges itself; only its measurement gives it away. */
async function cheatWithOtherMeasurement(scene: Scene, instance: Instance): Promise<void> {
  const { story, context } = scene;
  const { policy, service } = await startHostileKeep(scene, instance);
  await story.cheat(
    "a keep with another measurement",
    { codes: ["CHANNEL_NOT_PROVEN"], says: "keep.measurement" },
    async () => {
      using session = await openKeep(context, { policy, identity: instance.user });
      await session.keep.status();
    },
  );
  await service.stop();
}

async function cheatWithEditedPolicy(
  { story, context, stage }: Scene,
  instance: Instance,
): Promise<void> {
  const edited = instance.policy.text.replace('"enable_clock": true', '"enable_clock": false');
  await story.cheat(
    "a policy edited on the way",
    { codes: ["CHANNEL_NOT_PROVEN"], says: "keep.policy-hash" },
    async () => {
      using session = await openKeep(context, {
        policy: parsePolicy(edited),
        identity: instance.user,
      });
      await session.keep.status();
    },
  );
  const spy = await newIdentity({ commonName: "spy", clock: context.clock, days: 1 });
  await story.cheat(
    "a policy with one more reader slipped in",
    { codes: ["CLI_NOT_VERIFIED"], says: "review.others" },
    async () => {
      const policy = JSON.parse(instance.policy.text) as { identities: object[] };
      policy.identities.push({
        certificate: spy.certificatePem,
        file_rights: [{ file_name: VOD.output, rights: SEED_RIGHTS.read }],
        id: policy.identities.length,
      });
      const text = JSON.stringify(policy, undefined, 4);
      await writeFile(join(stage.userDirectory, "slipped-in.json"), text);
      requireReviewed(reviewPolicy(parsePolicy(text), instance.expected));
    },
  );
}

async function changedProgram(): Promise<Uint8Array> {
  const bytes = new Uint8Array(await readFile(BUILT.detector));
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return bytes;
}
