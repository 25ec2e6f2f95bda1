// `holdfast up`: the whole platform on this machine, until Ctrl-C.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { DEFAULT_PROFILE } from "../access/profile.ts";
import { collected, newCommand, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { buildKeep } from "../processes/build.ts";
import { Guard } from "../processes/guard.ts";
import { Platform } from "../processes/platform.ts";
import { accessFiles } from "../processes/platform-access.ts";
import { logsIn } from "../processes/platform-config.ts";
import { requireFree } from "../processes/ports.ts";
import { untilInterrupted } from "../processes/until-interrupted.ts";
import { parseServiceUrl, SERVICE_URL_WORDS } from "../services/addresses.ts";
import { type NamedPorts, parsePorts, portsFrom } from "../services/port-list.ts";

interface UpOptions {
  readonly dataDir: string;
  readonly ports?: NamedPorts;
  readonly s3Endpoint?: string;
  readonly fetchAllow?: readonly string[];
  readonly localDevelopment?: boolean;
}

/** `up`. */
export function upCommand(context: Context): Command {
  return newCommand("up", {
    summary: "start the whole platform on this machine, until Ctrl-C",
    description:
      "Starts the attestation service and the control plane (VaaS, CCFaaS, S3 bridge) with one data directory. Certificates,\n" +
      "tokens and a profile that the other commands find are made there on the first start.\n" +
      "Functions stay registered from one start to the next. Ctrl-C ends the services and every keep,\n" +
      "and so does the end of the command in any other way.\n" +
      "The platform below the keeps is SIMULATED: a root made in the data directory stands in for the hardware's.",
    examples: [
      "holdfast up",
      "holdfast up --data-dir /srv/holdfast --ports attestation=4010,vaas=4000,ccfaas=4001,s3=4002,keeps=4100",
      "holdfast up --s3-endpoint http://127.0.0.1:9000",
    ],
  })
    .option("--data-dir <dir>", "where everything is kept", "holdfast-data")
    .addOption(
      new Option(
        "--ports <name=port,...>",
        "ports: attestation, vaas, ccfaas, s3, keeps (the first of 64)",
      ).argParser(parsed(parsePorts, "NAME=PORT,... of attestation, vaas, ccfaas, s3, keeps")),
    )
    .addOption(
      new Option("--s3-endpoint <url>", "S3 endpoint of the bridge; AWS when not given").argParser(
        parsed(parseServiceUrl, SERVICE_URL_WORDS),
      ),
    )
    .addOption(
      new Option(
        "--fetch-allow <url>",
        "beginning of URLs that files of functions may be fetched from; may be repeated",
      ).argParser(collected(parseServiceUrl, SERVICE_URL_WORDS)),
    )
    .option(
      "--local-development",
      "plain HTTP on loopback, and nobody is asked who he is: for unchanged clients of the original services",
    )
    .action((options: UpOptions) => runUp(context, options));
}

async function runUp(
  context: Context,
  { dataDir, ports: named, s3Endpoint, fetchAllow = [], localDevelopment = false }: UpOptions,
): Promise<void> {
  const ports = portsFrom(named ?? {});
  const { keepsLast: _, ...first } = ports;
  await requireFree(first);
  const dataDirectory = resolve(dataDir);
  const logs = logsIn(dataDirectory);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const bundle = await buildKeep(context);
  const options = {
    dataDirectory,
    ports,
    bundle: bundle.path,
    fetchAllow,
    localDevelopment,
    ...(s3Endpoint === undefined ? {} : { s3Endpoint }),
  };
  const guard = Guard.start({ keepsUnder: dataDirectory }, join(logs, "guard.log"));
  const platform = new Platform(context, options, guard);
  const { terminal } = context;
  try {
    await platform.prepare();
    await platform.startAttestation();
    await platform.startControl();
    const { urls } = platform;
    terminal.line(
      terminal.paint("warn", "SIMULATED platform: nothing but software stands behind the evidence"),
    );
    terminal.line(`attestation service  ${urls.attestation}`);
    terminal.line(`VaaS                 ${urls.vaas}`);
    terminal.line(`CCFaaS               ${urls.ccfaas}`);
    terminal.line(`S3 bridge            ${urls.s3}`);
    terminal.line(`keeps                127.0.0.1 from port ${ports.keeps}`);
    terminal.line(`measurement          ${bundle.measurement}`);
    terminal.line(`data and logs        ${dataDirectory}`);
    for (const line of entryLines(platform, localDevelopment)) terminal.line(line);
    terminal.line("Ctrl-C ends everything");
    terminal.result({
      ok: true,
      simulated: true,
      urls,
      keeps_from: ports.keeps,
      measurement: bundle.measurement,
      data_dir: dataDirectory,
      local_development: localDevelopment,
      profile: platform.profileFile,
      ...(localDevelopment ? {} : entryFiles(dataDirectory)),
    });
    const services = [platform.attestation, platform.control].filter((each) => each !== undefined);
    await untilInterrupted(context, services);
  } finally {
    terminal.note("ending keeps and services");
    await platform.stop();
    await guard.dismiss();
  }
}

/** How people get in: with the commands, and with clients of the original services. */
function entryLines({ profileFile, dataDirectory }: Platform, isOpen: boolean): string[] {
  const isDefault = profileFile === resolve(DEFAULT_PROFILE);
  const profile = isDefault ? "commands in this directory find it" : "export HOLDFAST_PROFILE=it";
  const { caFile, administratorTokenFile } = accessFiles(dataDirectory);
  if (isOpen) {
    return ["access               local development: whoever is on this machine may do everything"];
  }
  return [
    `access               TLS 1.3 and tokens, by the profile ${profileFile} (${profile})`,
    `clients of others    trust ${caFile}, send "Authorization: Bearer" with the token in ${administratorTokenFile}; unchanged ones need --local-development`,
  ];
}

function entryFiles(dataDirectory: string): object {
  const { caFile, administratorTokenFile } = accessFiles(dataDirectory);
  return { ca_file: caFile, token_file: administratorTokenFile };
}
