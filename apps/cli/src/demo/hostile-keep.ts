// A keep as an attacker would build it: the bundle with its own judgement cut out, so that it starts whatever it measures
// to, under a policy that names the genuine measurement.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Policy, parsePolicy } from "@holdfast/policy";
import { CliError } from "../errors.ts";
import { BUILT } from "../processes/checkout.ts";
import type { ChildService } from "../processes/child-service.ts";
import { accessFiles } from "../processes/platform-access.ts";
import type { Instance, Scene } from "./job.ts";

/** Where the genuine keep stops when its own certificate would not pass, known by its permanent code. */
const OWN_JUDGEMENT = /if \(!\w+\.affirmed\) \{(?=\s*throw new \w+\(\s*"BOOT_CERTIFICATE")/g;

/** Starts it beside the platform, on a port of its own. */
export async function startHostileKeep(
  { stage, context, bundle }: Scene,
  instance: Instance,
): Promise<{ policy: Policy; service: ChildService }> {
  const hostileBundle = join(stage.directory, "hostile-keep.mjs");
  await writeFile(hostileBundle, withoutOwnJudgement(await readFile(bundle.path, "utf8")));
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
        attestation_ca_file: accessFiles(stage.platform.dataDirectory).caFile,
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

/**
 * A keep's bundle with its own judgement cut out.
 * @throws CliError CLI_PROCESS unless the judgement is found, once
 */
export function withoutOwnJudgement(source: string): string {
  const found = source.match(OWN_JUDGEMENT)?.length ?? 0;
  if (found === 1) return source.replace(OWN_JUDGEMENT, "if (false) {");
  throw new CliError(
    "CLI_PROCESS",
    `the keep's own judgement is found ${found} times in its bundle, not once`,
    { hint: "OWN_JUDGEMENT in apps/cli/src/demo/hostile-keep.ts must follow the keep's source" },
  );
}

async function stateOf(file: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(file, "utf8")) as { state?: unknown }).state;
  } catch {
    // Not written yet.
    return undefined;
  }
}
