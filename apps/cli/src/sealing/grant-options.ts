// The terms of a key's release as a person gives them: digests, or the files that they are of; or all of them in one file.
import { isKeyGrant, type KeyGrant } from "@holdfast/contract";
import { fromPem, messageOf, toHex, webCrypto } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { type Command, Option } from "commander";
import { collected, parsed } from "../command.ts";
import { CliError } from "../errors.ts";
import { hashFile, readJsonFile, readPolicyFile, readTextFile } from "../files.ts";

/** What a person said. */
export interface GrantOptions {
  /** A file with all terms. */
  readonly terms?: string;
  readonly measurement?: readonly string[];
  readonly program?: readonly string[];
  readonly policy?: readonly string[];
  readonly reader?: readonly string[];
  /** False with `--no-readers`. */
  readonly readers?: boolean;
  readonly simulated?: boolean;
  readonly notAfter?: string;
}

/** What the help of a command with terms says. */
export const GRANT_HELP = `Who gets a key: a keep whose fresh evidence shows one of the measurements,
under a policy that names the key in its inputs, lets no identity read or
write what the key opens, and is not for debugging. Besides, one of --program
and --policy must be given; of what is not given nothing is asked:
  --program  every program of the policy is one of these, whatever arguments,
             clock and other inputs the policy gives it
  --policy   the policy is one of these, to the letter
  --reader   whoever may read, list or run anything in the keep is one of
             these; --no-readers: nobody may
Programs see what the key opens, readers get what programs make of it.
Read the policy first: holdfast policy explain POLICY`;

const DIGEST = /^[0-9a-f]{64}$/;

/** Adds them to a command. */
export function withGrant(command: Command): Command {
  const repeated = (flags: string, about: string): Option =>
    new Option(flags, `${about}; may be repeated`)
      .helpGroup("Who gets the key:")
      .argParser(collected(nonEmpty, "a digest or a file"));
  const single = (flags: string, about: string): Option =>
    new Option(flags, about).helpGroup("Who gets the key:");
  return command
    .addOption(
      repeated("--measurement <hex>", "of the keep, as holdfast keep measure says").argParser(
        collected(parseMeasurement, "64 or 96 small hexadecimal digits"),
      ),
    )
    .addOption(repeated("--program <file>", "a module, or its SHA-256"))
    .addOption(repeated("--policy <file>", "a full policy, or its hash"))
    .addOption(repeated("--reader <pem>", "a certificate, or the SHA-256 of its DER"))
    .addOption(single("--no-readers", "nobody may get anything out of the keep"))
    .addOption(single("--simulated", "a SIMULATED platform will do: nothing but software"))
    .addOption(
      single("--not-after <time>", "afterwards nobody gets it").argParser(
        parsed(parseTime, "a time such as 2027-01-31T00:00:00Z"),
      ),
    )
    .addOption(
      single("--terms <json>", "a file with all of it, as key show --json gives under key.grant"),
    );
}

/**
 * The terms that a person gave.
 * @throws CliError CLI_USAGE, CLI_FILE, CLI_INPUT; PolicyError for a policy that is none
 */
export async function grantOf(options: GrantOptions): Promise<KeyGrant> {
  const { terms, measurement, program, policy, reader, simulated, notAfter } = options;
  const nobody = options.readers === false ? true : undefined;
  const named = { measurement, program, policy, reader, nobody, simulated, notAfter };
  if (terms !== undefined) {
    if (Object.values(named).some((each) => each !== undefined)) {
      throw new CliError("CLI_USAGE", "--terms stands alone: the file has them all");
    }
    return await readTerms(terms);
  }
  if (nobody && reader !== undefined) {
    throw new CliError("CLI_USAGE", "--reader and --no-readers say the contrary of each other");
  }
  if (measurement === undefined)
    throw missing("--measurement HEX", "holdfast keep measure says it");
  if (program === undefined && policy === undefined) {
    throw missing(
      "--program FILE or --policy FILE",
      "without either anybody's program would see it",
    );
  }
  const readers = nobody ? [] : reader;
  return {
    measurements: [...measurement],
    ...(program && { programs: await digests(program, (file) => hashFile(file, "program")) }),
    ...(policy && { policies: await digests(policy, policyDigest) }),
    ...(readers && { readers: await digests(readers, certificateDigest) }),
    ...(simulated === true && { simulated }),
    ...(notAfter && { not_after: notAfter }),
  };
}

async function readTerms(file: string): Promise<KeyGrant> {
  const value = await readJsonFile(file, "file of terms");
  if (isKeyGrant(value)) return value;
  throw new CliError("CLI_INPUT", `${file} has no terms of a key's release`, {
    hint: "docs/reference/attestation-service.md says what stands in it; holdfast key show NAME --json gives one under key.grant",
  });
}

async function digests(
  given: readonly string[],
  digestOf: (file: string) => Promise<string>,
): Promise<string[]> {
  const all = given.map(async (each) => (DIGEST.test(each) ? each : await digestOf(each)));
  return [...new Set(await Promise.all(all))];
}

async function policyDigest(file: string): Promise<string> {
  return await policyHash((await readPolicyFile(file)).text);
}

async function certificateDigest(file: string): Promise<string> {
  const text = await readTextFile(file, "certificate");
  try {
    const [der, ...more] = fromPem("CERTIFICATE", text);
    if (der === undefined || more.length > 0) throw new Error("one certificate is expected");
    return toHex(await webCrypto.digest("SHA-256", der));
  } catch (cause) {
    throw new CliError("CLI_INPUT", `certificate ${file} can't be read: ${messageOf(cause)}`);
  }
}

function nonEmpty(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function parseMeasurement(text: string): string | undefined {
  return /^(?:[0-9a-f]{64}|[0-9a-f]{96})$/.test(text) ? text : undefined;
}

function parseTime(text: string): string | undefined {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text);
  return isTime && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

function missing(option: string, why: string): CliError {
  return new CliError("CLI_USAGE", `${option} is missing: ${why}`);
}
