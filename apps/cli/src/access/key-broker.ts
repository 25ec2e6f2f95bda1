// How the keys that data owners leave with an attestation service are reached: with the token of that service's administrator,
// which is another than the control plane's and goes nowhere else.
import { AttestationClient } from "@holdfast/contract";
import { type Command, Option } from "commander";
import { parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { parseServiceUrl, SERVICE_URL_WORDS } from "../services/addresses.ts";
import { Access, type Grant } from "./access.ts";
import { authorities, grouped, ownGrant, refuseToken, tokenOf } from "./options.ts";
import { DEFAULT_PROFILE, findProfile, type Profile } from "./profile.ts";

/** What a person said. */
export interface BrokerOptions {
  /** Address of the attestation service. */
  readonly service?: string;
  readonly profile?: string;
  readonly caFile?: string;
  readonly tokenFile?: string;
}

/** Adds them to a command that speaks to the attestation service as its administrator. */
export function withBroker(command: Command): Command {
  const service = grouped(
    "--service <url>",
    "address of the attestation service; else the profile's",
  );
  return command
    .addOption(service.argParser(parsed(parseServiceUrl, SERVICE_URL_WORDS)))
    .addOption(
      grouped(
        "--profile <file>",
        `address, authority, token; else HOLDFAST_PROFILE, else ${DEFAULT_PROFILE}`,
      ),
    )
    .addOption(grouped("--ca-file <pem>", "authority to believe; else the profile's"))
    .addOption(grouped("--token-file <file>", "its administrator's token; else the profile's"))
    .addOption(new Option("--token <value>").hideHelp().argParser(refuseToken));
}

/**
 * A client of the attestation service that a person chose, as its administrator.
 * @throws CliError CLI_NO_PROFILE, CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT, CLI_PLAIN_HTTP
 */
export async function openKeyBroker(
  { environment }: Pick<Context, "environment">,
  options: BrokerOptions,
): Promise<AttestationClient> {
  const profile = await findProfile(options.profile, environment);
  const attestation = options.service ?? profile?.urls.attestation;
  if (attestation === undefined) {
    throw new CliError("CLI_NO_PROFILE", "nobody said where the attestation service is", {
      hint: "start the platform in this directory: holdfast up; or name the profile it wrote: --profile FILE or HOLDFAST_PROFILE; or give --service URL",
    });
  }
  const own: Grant = {
    ...(await profileGrant(attestation, options, profile)),
    ...(options.caFile === undefined ? {} : await authorities(options.caFile, "")),
    ...(options.tokenFile === undefined ? {} : await tokenOf(options.tokenFile)),
  };
  if (own.token === undefined) {
    throw new CliError("CLI_INPUT", `there is no administrator's token for ${attestation}`, {
      hint: "name the file that the service's admin_token_file names: --token-file FILE; holdfast up makes access/attestation.token in its data directory",
    });
  }
  return new AttestationClient(new Access({ urls: { attestation }, own }).transport(attestation));
}

/** What the profile lets in with, at its own attestation service alone. */
async function profileGrant(
  attestation: string,
  { tokenFile }: BrokerOptions,
  profile: Profile | undefined,
): Promise<Grant> {
  const known = profile?.urls.attestation;
  if (profile === undefined || known === undefined) return {};
  if (new URL(known).origin !== new URL(attestation).origin) return {};
  const { file, urls, caFile, caPem, attestationTokenFile } = profile;
  return await ownGrant({
    file,
    urls,
    ...(caFile && { caFile }),
    ...(caPem && { caPem }),
    ...(attestationTokenFile && tokenFile === undefined && { tokenFile: attestationTokenFile }),
  });
}
