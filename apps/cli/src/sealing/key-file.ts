// Files of keys that seal inputs: 32 bytes for their owner alone. Made as base64 on a line; other programs' keys are taken as
// they come, as 64 hexadecimal digits or as bare bytes.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { fromBase64, fromHex, HoldfastError, toBase64, toText } from "@holdfast/core";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readPrivateBytes, writeNewSecret } from "../files.ts";

const KEY_BYTES = 32;
const MAXIMUM_FILE = 128;
/** What somebody gives who takes `--key` for the key itself. */
const LOOKS_LIKE_A_KEY = /^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)$/;

/**
 * The key in a file.
 * @param path `-` for standard input
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT; CLI_USAGE for a key where a path belongs, which is not repeated
 */
export async function readKeyFile(
  path: string,
  { stdin }: Pick<Context, "stdin">,
): Promise<Uint8Array> {
  if (LOOKS_LIKE_A_KEY.test(path) && !existsSync(path)) {
    throw new CliError(
      "CLI_USAGE",
      "a key does not belong on a command line, where everybody on this machine can read it",
      { hint: "--key FILE, or --key - for standard input; and take that key for known" },
    );
  }
  const bytes =
    path === "-" ? await readInput(stdin) : await readPrivateBytes(path, "key", MAXIMUM_FILE);
  const key = keyIn(bytes);
  if (key !== undefined) return key;
  const where = path === "-" ? "standard input" : path;
  throw new CliError("CLI_INPUT", `${where} holds no key of ${KEY_BYTES} bytes`, {
    hint: "base64, hexadecimal or bare bytes are taken; holdfast seal --new-key makes one",
  });
}

/**
 * Makes a key and writes it to a file of its owner alone.
 * @throws CliError CLI_FILE when there is something at the path: a key that is written over opens nothing any more
 */
export async function writeNewKeyFile(path: string): Promise<Uint8Array> {
  const key = Uint8Array.from(randomBytes(KEY_BYTES));
  if (await writeNewSecret(path, `${toBase64(key)}\n`)) return key;
  throw new CliError("CLI_FILE", `${path} is there already`, {
    hint: "choose another path, or use the key that is there: leave --new-key out",
  });
}

function keyIn(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === KEY_BYTES) return bytes;
  try {
    const text = toText(bytes).trim();
    const key = text.length === 2 * KEY_BYTES ? fromHex(text) : fromBase64(text);
    return key.length === KEY_BYTES ? key : undefined;
  } catch (thrown) {
    if (thrown instanceof HoldfastError) return undefined;
    throw thrown;
  }
}

async function readInput(stdin: Context["stdin"]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stdin) {
    parts.push(Buffer.from(part));
    length += parts.at(-1)?.length ?? 0;
    if (length > MAXIMUM_FILE) throw new CliError("CLI_INPUT", "standard input is too long a key");
  }
  return new Uint8Array(Buffer.concat(parts));
}
