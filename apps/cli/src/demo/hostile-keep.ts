// A keep as an attacker would build it: the bundle with its own judgement cut out, so that it starts whatever it measures
// to, under a policy that names the genuine measurement.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Policy, parsePolicy } from "@holdfast/policy";
import { CliError } from "../errors.ts";
import { BUILT } from "../processes/checkout.ts";
import type { ChildService } from "../processes/child-service.ts";
import type { Instance, Scene } from "./job.ts";

/** What the genuine keep does when its own certificate would not pass; the attacker takes it out. */
const OWN_JUDGEMENT = /if \(!verdict\.affirmed\) \{/;

/** Starts it beside the platform, on a port of its own. */
export async function startHostileKeep(
  { stage, context, bundle }: Scene,
  instance: Instance,
): Promise<{ policy: Policy; service: ChildService }> {
  const source = await readFile(bundle.path, "utf8");
  if (!OWN_JUDGEMENT.test(source)) {
    throw new CliError(
      "CLI_PROCESS",
      "the keep's bundle can't be changed the way this demo does it",
    );
  }
  const hostileBundle = join(stage.directory, "hostile-keep.mjs");
  await writeFile(hostileBundle, source.replaceAll(new RegExp(OWN_JUDGEMENT, "g"), "if (false) {"));
  const listen = { host: "127.0.0.1", port: stage.sparePort };
  const text = instance.policy.text.replace(
    `"${instance.policy.serverUrl.host}:${instance.policy.serverUrl.port}"`,
    `"${listen.host}:${listen.port}"`,
  );
  const stateFile = join(stage.directory, "hostile-keep.json");
  const service = stage.start(
    "hostile keep",
    BUILT.loader,
    [],
    [
      {
        bundle: hostileBundle,
        attestation_url: stage.platform.urls.attestation,
        platform: {
          kind: "simulated-nitro",
          authority_dir: stage.platform.simulatedPlatformDirectory,
        },
      },
      {
        policy: text,
        listen,
        state_file: stateFile,
        log_file: join(stage.directory, "hostile-keep.log"),
      },
    ]
      .map((order) => `${JSON.stringify(order)}\n`)
      .join(""),
  );
  await service.waitUntil(
    async () => (await stateOf(stateFile)) === "serving",
    context.interrupted,
  );
  return { policy: parsePolicy(text), service };
}

async function stateOf(file: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(file, "utf8")) as { state?: unknown }).state;
  } catch {
    // Not written yet.
    return undefined;
  }
}
