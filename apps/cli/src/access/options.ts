// Options by which a person says how commands reach services, and what they come to.
import type { ClientIdentity } from "@holdfast/channel";
import { type CcfaasClient, NAMESPACE_NAME } from "@holdfast/contract";
import { type Command, Option } from "commander";
import { parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readPrivateFile, readTextFile } from "../files.ts";
import { parseServiceUrl, SERVICE_URL_WORDS } from "../services/addresses.ts";
import { Access, type Grant } from "./access.ts";
import { DEFAULT_PROFILE, findProfile, type Profile } from "./profile.ts";

/** What a person said. */
export interface AccessOptions {
  /** Address of CCFaaS. */
  readonly url?: string;
  readonly profile?: string;
  readonly caFile?: string;
  readonly tokenFile?: string;
  readonly namespace?: string;
}

const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** What a namespace's name is, in words. */
export const NAMESPACE_WORDS = "1 to 40 small letters, digits and dashes";

/** Adds them to a command that speaks to CCFaaS. */
export function withCcfaas(command: Command): Command {
  const url = grouped("--url <url>", "address of CCFaaS; the profile's when not given");
  return withAccess(command.addOption(url.argParser(parsed(parseServiceUrl, SERVICE_URL_WORDS))));
}

/** Adds them to a command that is told addresses otherwise. */
export function withAccess(command: Command): Command {
  const namespace = grouped("--namespace <name>", "work in this namespace");
  return command
    .addOption(
      grouped(
        "--profile <file>",
        `addresses, authority, token; else HOLDFAST_PROFILE, else ${DEFAULT_PROFILE}`,
      ),
    )
    .addOption(grouped("--ca-file <pem>", "authority to believe; else the profile's"))
    .addOption(grouped("--token-file <file>", "your token; else HOLDFAST_TOKEN or the profile's"))
    .addOption(namespace.argParser(parsed(parseNamespace, NAMESPACE_WORDS)))
    .addOption(new Option("--token <value>").hideHelp().argParser(refuseToken));
}

/** An option under the heading that these stand under. */
export function grouped(flags: string, about: string): Option {
  return new Option(flags, about).helpGroup("How services are reached:");
}

/**
 * A client of CCFaaS, reached as a person chose.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT, CLI_NO_PROFILE, CLI_PLAIN_HTTP
 */
export async function openCcfaas(
  context: Pick<Context, "environment">,
  options: AccessOptions,
): Promise<CcfaasClient> {
  return (await openAccess(context, options)).ccfaas(options.url);
}

/**
 * The way to the services that a person chose.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT
 */
export async function openAccess(
  { environment }: Pick<Context, "environment">,
  options: AccessOptions,
): Promise<Access> {
  const profile = await findProfile(options.profile, environment);
  const namespace = options.namespace ?? profile?.namespace;
  return new Access({
    urls: profile?.urls ?? {},
    ...(profile === undefined ? {} : { own: await ownGrant(profile) }),
    given: {
      ...(options.caFile === undefined ? {} : await authorities(options.caFile, "")),
      ...(await givenToken(options, environment)),
    },
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/** What a profile lets in with. */
export async function ownGrant({
  file,
  caFile,
  caPem,
  tokenFile,
  token,
  identity,
}: Profile): Promise<Grant> {
  const of = `, named by ${file}`;
  return {
    ...(caFile === undefined ? {} : await authorities(caFile, of)),
    ...(caPem === undefined
      ? {}
      : { authoritiesPem: caPem, authoritiesFrom: `the authority in ${file}` }),
    ...(tokenFile === undefined ? {} : await tokenOf(tokenFile)),
    ...(token === undefined ? {} : checked(token, `the token of profile ${file}`)),
    ...(identity === undefined ? {} : { identity: await identityIn(identity) }),
  };
}

async function identityIn(files: NonNullable<Profile["identity"]>): Promise<ClientIdentity> {
  return {
    certificatePem: await readTextFile(files.certificateFile, "certificate"),
    keyPem: await readPrivateFile(files.keyFile, "private key"),
  };
}

/** The authorities of a file. @param of whose file it is, in words */
export async function authorities(file: string, of: string): Promise<Grant> {
  return {
    authoritiesPem: await readTextFile(file, "authority's certificate"),
    authoritiesFrom: `${file}${of}`,
  };
}

async function givenToken(
  { tokenFile }: AccessOptions,
  environment: Context["environment"],
): Promise<Grant> {
  if (tokenFile !== undefined) return await tokenOf(tokenFile);
  const token = environment["HOLDFAST_TOKEN"];
  return token === undefined || token === "" ? {} : checked(token, "the token of HOLDFAST_TOKEN");
}

/** The token of a private file. */
export async function tokenOf(file: string): Promise<Grant> {
  return checked((await readPrivateFile(file, "token")).trim(), `the token of ${file}`);
}

function checked(token: string, tokenFrom: string): Grant {
  if (TOKEN.test(token)) return { token, tokenFrom };
  throw new CliError(
    "CLI_INPUT",
    `${tokenFrom} is none: one word of visible characters is expected`,
  );
}

/** Refuses a token on a command line. */
export function refuseToken(): never {
  throw new CliError(
    "CLI_USAGE",
    "a token does not belong on a command line, where everybody on this machine can read it",
    { hint: "--token-file FILE, or HOLDFAST_TOKEN; and take that token for known: revoke it" },
  );
}

/** A namespace's name; undefined when it can't be one. */
export function parseNamespace(text: string): string | undefined {
  return NAMESPACE_NAME.test(text) ? text : undefined;
}
