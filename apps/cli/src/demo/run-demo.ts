// The demo: the seed's whole story, then the cheats, then the end of everything that was started.
import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { buildDetector, buildKeep } from "../processes/build.ts";
import { ROOT } from "../processes/checkout.ts";
import { keepsUnder } from "../processes/leftover-keeps.ts";
import { untilInterrupted } from "../processes/until-interrupted.ts";
import { formatDuration } from "../terminal/progress.ts";
import { type AttackerView, showAttacker } from "./attacker-step.ts";
import { tryToCheat } from "./cheats.ts";
import { detectionTable } from "./detections.ts";
import { judgeInstance, requestInstance, storeVideo } from "./instance-steps.ts";
import { type Instance, NAMES, type Scene } from "./job.ts";
import { FACE_MODEL, findModel } from "./model-files.ts";
import { registerFunction } from "./register-step.ts";
import {
  fetchResults,
  type JobOutcome,
  killControlPlane,
  putKey,
  runDetector,
  streamVideo,
} from "./run-steps.ts";
import { Stage } from "./stage.ts";
import { Story } from "./story.ts";
import { bringVideo, encryptVideo } from "./video.ts";

/** What the person chose. */
export interface DemoOptions {
  readonly keepRunning?: boolean;
  readonly model?: string;
  readonly modelName?: string;
  readonly video?: string;
  readonly key?: string;
  readonly iv?: string;
  readonly out?: string;
}

const SAMPLE = resolve(ROOT, "examples/vod/sample/faces.h264");

/** Plays the demo. */
export async function runDemo(context: Context, options: DemoOptions): Promise<void> {
  const started = performance.now();
  const { terminal } = context;
  const story = new Story(terminal, context.interrupted);
  const model =
    options.model === undefined ? FACE_MODEL : findModel(options.model, options.modelName);
  terminal.line(
    terminal.paint("bold", "Holdfast: an encrypted video goes through an attested keep"),
  );
  terminal.line(
    terminal.paint("warn", "SIMULATED platform: real formats and checks, no hardware behind them"),
  );
  story.chapter("The stage");
  const bundle = await buildAll(context, story);
  const results = await resultsDirectory(options.out);
  const stage = await Stage.prepare(context, bundle.path);
  try {
    const scene = { context, story, stage, bundle, model, results };
    const summary = await play({ ...scene, video: await takeVideo(scene, options) }, options);
    const seconds = (performance.now() - started) / 1000;
    terminal.line();
    terminal.line(
      `Everything held, in ${formatDuration(seconds * 1000)}. ${terminal.paint("warn", "Platform: SIMULATED.")}`,
    );
    terminal.result({ ok: true, ...summary, seconds: Number(seconds.toFixed(1)) });
    if (options.keepRunning) await keepRunning(context, stage);
  } catch (thrown) {
    if (!context.interrupted.aborted) terminal.note(`logs are kept in ${await stage.saveLogs()}`);
    // Nothing came of it: an empty folder of ours would only be litter.
    if (options.out === undefined) await rmdir(results).catch(() => undefined);
    throw thrown;
  } finally {
    await stage.end();
  }
}

async function play(scene: Scene, options: DemoOptions): Promise<object> {
  const { story, stage, results } = scene;
  await story.step("Start attestation service, control plane, S3 store", async () => {
    await stage.startServices();
    return {
      checked: `all on 127.0.0.1, over TLS 1.3 and for known tokens; everything is kept in ${stage.directory}`,
      value: undefined,
    };
  });
  story.chapter("The job");
  const hashes = await registerFunction(scene);
  await storeVideo(scene);
  const instance = await requestInstance(scene, hashes);
  using session = await judgeInstance(scene, instance);
  await putKey(scene, session);
  await killControlPlane(scene, session);
  await streamVideo(scene, instance);
  const run = await runDetector(scene, session);
  const outcome = await fetchResults(scene, instance, session, run);
  story.chapter("What an attacker saw");
  const attacker = await showAttacker(scene, outcome);
  story.chapter("Cheating");
  await tryToCheat(scene, instance);
  if (!options.keepRunning) await endInstance(scene);
  story.chapter("Detections");
  for (const row of detectionTable(outcome.report)) scene.context.terminal.line(row);
  tellProof(scene, instance, outcome, attacker);
  return summaryOf(scene, instance, outcome, attacker, results);
}

async function buildAll(
  context: Context,
  story: Story,
): Promise<Awaited<ReturnType<typeof buildKeep>>> {
  const bundle = await story.step("Build the keep", async () => {
    const made = await buildKeep(context);
    return {
      checked: `${made.built ? "built" : "up to date"}; measurement ${made.measurement}`,
      value: made,
    };
  });
  await story.step("Build the video detector", async () => {
    const { built } = await buildDetector(context);
    return {
      checked: built ? "C compiled to WebAssembly, from npm packages alone" : "up to date",
      value: undefined,
    };
  });
  return bundle;
}

async function takeVideo(
  { story, stage }: Pick<Scene, "story" | "stage">,
  { video, key, iv }: DemoOptions,
): Promise<Scene["video"]> {
  if (video !== undefined && key !== undefined && iv !== undefined) {
    return story.step("User brings an encrypted video", async () => {
      const brought = await bringVideo({ path: video, keyPath: key, ivPath: iv });
      return { checked: `${brought.bytes} bytes in ${video}`, value: brought };
    });
  }
  return story.step("User encrypts the video with a fresh key", async () => {
    const encrypted = await encryptVideo(SAMPLE, stage.userDirectory);
    return {
      checked: `AES-128-CTR, ${encrypted.bytes} bytes; the key never leaves the user's hands but for the keep`,
      value: encrypted,
    };
  });
}

async function resultsDirectory(out: string | undefined): Promise<string> {
  if (out === undefined) return mkdtemp(join(tmpdir(), "holdfast-results-"));
  await mkdir(out, { recursive: true });
  return resolve(out);
}

async function endInstance({ story, stage }: Scene): Promise<void> {
  story.chapter("The end");
  await story.step("User ends the instance; its place is free again", async () => {
    const ccfaas = stage.userAccess.ccfaas();
    await ccfaas.deleteInstance(NAMES.instance);
    const left = await ccfaas.listInstances();
    // Loaders that wait for the next keep have none.
    const keeps = await keepsUnder(stage.platform.dataDirectory);
    if (left.length > 0 || keeps.length > 0) {
      throw new CliError(
        "CLI_PROCESS",
        `${left.length} instances and ${keeps.length} keeps are still there`,
      );
    }
    return {
      checked: "no instance and no keep is left; what was in them is gone",
      value: undefined,
    };
  });
}

function tellProof(
  scene: Scene,
  instance: Instance,
  outcome: JobOutcome,
  attacker: AttackerView,
): void {
  const { story, results, bundle } = scene;
  story.chapter("What was proven");
  story.say(`policy hash        ${instance.policyHash}`);
  story.say(`measurement        ${bundle.measurement}`);
  story.say("certificate chain  keep, attestation authority; evidence under a SIMULATED root");
  story.say(`run receipt        verified, ${outcome.receiptChecks} checks: ${outcome.receiptFile}`);
  story.say(`plain data outside none found by ${attacker.patterns} patterns`);
  story.say(
    `cheats             ${story.cheats.length} tried, ${story.cheats.filter(({ refused }) => refused).length} refused`,
  );
  story.say(`pictures           ${join(results, "pictures")}`);
}

function summaryOf(
  { story, bundle, stage }: Scene,
  { policyHash }: Instance,
  { run, outputs, report, receiptFile, receiptChecks }: JobOutcome,
  attacker: AttackerView,
  results: string,
): object {
  return {
    simulated: true,
    policy_hash: policyHash,
    measurement: bundle.measurement,
    steps: story.steps,
    run,
    frames: report.frames,
    detections: report.detections,
    pictures: join(results, "pictures"),
    outputs,
    receipt: { file: receiptFile, verified: true, checks: receiptChecks },
    attacker,
    cheats: story.cheats,
    urls: stage.platform.urls,
  };
}

async function keepRunning(context: Context, stage: Stage): Promise<void> {
  const { terminal } = context;
  const { urls } = stage.platform;
  terminal.line();
  terminal.line("Kept running until Ctrl-C:");
  for (const [name, url] of Object.entries(urls)) terminal.line(`  ${name.padEnd(12)} ${url}`);
  terminal.line(`  ${"S3 store".padEnd(12)} ${stage.store.url}, bucket ${stage.store.bucket}`);
  terminal.line(`  ${"profile".padEnd(12)} ${stage.platform.profileFile}`);
  terminal.line(`  ${"user's files".padEnd(12)} ${stage.userDirectory}`);
  const services = [stage.platform.attestation, stage.platform.control];
  await untilInterrupted(
    context,
    services.filter((each) => each !== undefined),
  );
}
