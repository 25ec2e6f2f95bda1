// `k=v` arguments: what the bridge needs to read the object. Values are never echoed: one of them is a secret.

import { CliError } from "../errors.ts";
import { readSmallFile } from "../files.ts";

/** Access to an object in S3, as the bridge takes it. */
export interface S3Access {
  readonly region_name?: string;
  readonly aws_access_key_id?: string;
  readonly aws_secret_access_key?: string;
  readonly aws_session_token?: string;
}

const NAMES = [
  "region_name",
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
] as const;

/**
 * Reads the arguments. A value `@FILE` is read from a file, so that a secret need not stand in the process list.
 * @throws CliError CLI_USAGE, without any value in its message
 */
export async function readS3Access(words: readonly string[]): Promise<S3Access> {
  const found: Record<string, string> = {};
  for (const [index, word] of words.entries()) {
    const at = word.indexOf("=");
    const name = NAMES.find((each) => each === word.slice(0, Math.max(0, at)));
    if (name === undefined) {
      throw usage(
        `S3 argument ${index + 1} is none of ${NAMES.map((each) => `${each}=…`).join(", ")}`,
      );
    }
    if (found[name] !== undefined) throw usage(`${name} is given twice`);
    const value = word.slice(at + 1);
    if (value === "") throw usage(`${name} has no value`);
    found[name] = value.startsWith("@") ? await readValue(name, value.slice(1)) : value;
  }
  if (
    (found["aws_access_key_id"] === undefined) !==
    (found["aws_secret_access_key"] === undefined)
  ) {
    throw usage("aws_access_key_id and aws_secret_access_key are given both or not at all");
  }
  return found;
}

async function readValue(name: string, path: string): Promise<string> {
  const bytes = await readSmallFile(path, name, 16 * 1024);
  return new TextDecoder().decode(bytes).trim();
}

function usage(message: string): CliError {
  return new CliError("CLI_USAGE", message, {
    hint: "region_name=eu-west-1 aws_access_key_id=… aws_secret_access_key=@FILE",
  });
}
