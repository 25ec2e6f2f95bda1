// `holdfast serve`: one service, in the foreground, until Ctrl-C.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { collected, newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { buildKeep } from "../processes/build.ts";
import { BUILT } from "../processes/checkout.ts";
import { Guard } from "../processes/guard.ts";
import { Platform } from "../processes/platform.ts";
import { type ControlService, logsIn } from "../processes/platform-config.ts";
import { requireFree } from "../processes/ports.ts";
import { untilInterrupted } from "../processes/until-interrupted.ts";
import { parseServiceUrl, SERVICE_URL_WORDS } from "../services/addresses.ts";
import { type NamedPorts, parsePorts, portsFrom } from "../services/port-list.ts";
import { objectStoreCommand } from "./serve-object-store.ts";

interface ServeOptions {
  readonly dataDir: string;
  readonly ports?: NamedPorts;
  readonly s3Endpoint?: string;
  readonly fetchAllow?: readonly string[];
  readonly localDevelopment?: boolean;
}

const ABOUT = {
  attestation: "the attestation service: certificates for keeps that prove themselves",
  vaas: "VaaS: starts and ends keeps",
  ccfaas: "CCFaaS: functions and their instances",
  s3: "the S3 bridge: streams objects into keeps",
} as const;

/** `serve …`. */
export function serveCommands(context: Context): Command {
  return newGroup("serve", "run one service in the foreground, until Ctrl-C", [
    ...(["attestation", "vaas", "ccfaas", "s3"] as const).map((name) =>
      serviceCommand(context, name),
    ),
    objectStoreCommand(context),
  ]);
}

function serviceCommand(context: Context, name: "attestation" | ControlService): Command {
  return newCommand(name, {
    summary: ABOUT[name],
    description: `Runs ${ABOUT[name]}.\nServices that share a data directory and ports find one another.`,
    examples: [`holdfast serve ${name}`, `holdfast serve ${name} --data-dir /srv/holdfast`],
  })
    .option(
      "--data-dir <dir>",
      "where it keeps its state; the same for all services",
      "holdfast-data",
    )
    .addOption(
      new Option("--ports <name=port,...>", "ports, as for holdfast up").argParser(
        parsed(parsePorts, "NAME=PORT,... of attestation, vaas, ccfaas, s3, keeps"),
      ),
    )
    .addOption(
      new Option("--s3-endpoint <url>", "S3 endpoint of the bridge; AWS when not given").argParser(
        parsed(parseServiceUrl, SERVICE_URL_WORDS),
      ),
    )
    .addOption(
      new Option("--fetch-allow <url>", "as for holdfast up, of VaaS and CCFaaS").argParser(
        collected(parseServiceUrl, SERVICE_URL_WORDS),
      ),
    )
    .option("--local-development", "plain HTTP on loopback, and nobody is asked who he is")
    .action((options: ServeOptions) => serve(context, name, options));
}

async function serve(
  context: Context,
  name: "attestation" | ControlService,
  { dataDir, ports, s3Endpoint, fetchAllow = [], localDevelopment = false }: ServeOptions,
): Promise<void> {
  const all = portsFrom(ports ?? {});
  await requireFree({ [name]: all[name] });
  const dataDirectory = resolve(dataDir);
  const logs = logsIn(dataDirectory);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const bundle = name === "vaas" ? (await buildKeep(context)).path : BUILT.keepBundle;
  const options = {
    dataDirectory,
    ports: all,
    bundle,
    fetchAllow,
    localDevelopment,
    ...(s3Endpoint === undefined ? {} : { s3Endpoint }),
  };
  const guard = Guard.start({}, join(logs, "guard.log"));
  const platform = new Platform(context, options, guard);
  const { terminal } = context;
  try {
    await platform.prepare();
    if (name === "attestation") await platform.startAttestation();
    else await platform.startControl([name]);
    const url = platform.urls[name];
    terminal.line(`${name} serves at ${url}; logs in ${platform.logs}; Ctrl-C ends it`);
    terminal.line(terminal.paint("warn", "SIMULATED platform"));
    terminal.result({ ok: true, service: name, url, simulated: true, data_dir: dataDirectory });
    const services = [platform.attestation, platform.control].filter((each) => each !== undefined);
    await untilInterrupted(context, services);
  } finally {
    await platform.stopServices();
    await guard.dismiss();
  }
}
