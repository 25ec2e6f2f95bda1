// Files that people name: read with a bound, written whole or not at all, private ones for their owner alone.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, link, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ClientIdentity } from "@holdfast/channel";
import { messageOf, toText } from "@holdfast/core";
import { type Policy, parsePolicy } from "@holdfast/policy";
import { CliError } from "./errors.ts";

const MAXIMUM_TEXT = 4 * 1024 * 1024;

/**
 * Bytes of a small file.
 * @param what the file's role in a sentence, "policy" for example
 * @throws CliError CLI_FILE when it can't be read or is longer than `maximum`
 */
export async function readSmallFile(
  path: string,
  what: string,
  maximum: number = MAXIMUM_TEXT,
): Promise<Uint8Array> {
  const handle = await open(path).catch((cause: unknown) => {
    throw unreadable(path, what, cause);
  });
  try {
    const { size } = await handle.stat();
    if (size > maximum) throw tooLong(path, what, maximum);
    const bytes = new Uint8Array(maximum + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) return bytes.slice(0, length);
      length += bytesRead;
      if (length > maximum) throw tooLong(path, what, maximum);
    }
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreadable(path, what, cause);
  } finally {
    await handle.close();
  }
}

/** Text of a small file, UTF-8. */
export async function readTextFile(path: string, what: string): Promise<string> {
  const bytes = await readSmallFile(path, what);
  try {
    return toText(bytes);
  } catch (cause) {
    throw new CliError("CLI_FILE", `${what} ${path} is not UTF-8 text`, { cause });
  }
}

/**
 * Text of a small file with something secret in it. As ssh does with keys, one that others may read or change is refused.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE
 */
export async function readPrivateFile(path: string, what: string): Promise<string> {
  await requirePrivate(path, what);
  return await readTextFile(path, what);
}

/** As `readPrivateFile`, for bytes that need not be text. */
export async function readPrivateBytes(
  path: string,
  what: string,
  maximum: number,
): Promise<Uint8Array> {
  await requirePrivate(path, what);
  return await readSmallFile(path, what, maximum);
}

/** JSON of a small file. */
export async function readJsonFile(path: string, what: string): Promise<unknown> {
  const text = await readTextFile(path, what);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError("CLI_INPUT", `${what} ${path} is not JSON: ${messageOf(cause)}`);
  }
}

/** A policy from its file. */
export async function readPolicyFile(path: string): Promise<Policy> {
  return parsePolicy(await readTextFile(path, "policy"));
}

/** A client identity from its two files. */
export async function readIdentity(
  certificatePath: string,
  keyPath: string,
): Promise<ClientIdentity> {
  return {
    certificatePem: await readTextFile(certificatePath, "certificate"),
    keyPem: await readTextFile(keyPath, "private key"),
  };
}

/** Size of a file to be sent; refuses what is not a file. */
export async function sizeOfFile(path: string, what: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, what, cause);
  });
  if (!found.isFile()) throw new CliError("CLI_FILE", `${what} ${path} is not a file`);
  return found.size;
}

/** Size of what is to be sent, unless it is a pipe with a name, whose size nobody knows; refuses anything else. */
export async function sizeOfSource(path: string, what: string): Promise<number | undefined> {
  const isPipe = await stat(path).then(
    (found) => found.isFIFO(),
    () => false,
  );
  return isPipe ? undefined : sizeOfFile(path, what);
}

/** Whether two paths lead to one file, or will: by links, too. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  if (resolve(one) === resolve(other)) return true;
  const [left, right] = await Promise.all(
    [one, other].map((path) => stat(path).catch(() => undefined)),
  );
  return left !== undefined && left.dev === right?.dev && left.ino === right.ino;
}

/** SHA-256 of a file, lower-case hexadecimal, read in parts. */
export async function hashFile(path: string, what: string): Promise<string> {
  await sizeOfFile(path, what);
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(part as Uint8Array);
  }
  return hash.digest("hex");
}

/**
 * Writes a file whole or not at all; who looks at the path sees the old file or the new one.
 * @param options.secret readable for its owner alone
 */
export async function writeWholeFile(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: { secret?: boolean } = {},
): Promise<void> {
  const target = resolve(path);
  const draft = `${target}.${randomUUID()}.part`;
  try {
    await writeFile(draft, content, { mode: options.secret ? 0o600 : 0o644, flag: "wx" });
    if (options.secret) await chmod(draft, 0o600);
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true });
    if (isSystemError(cause)) {
      throw new CliError("CLI_FILE", `${path} can't be written: ${messageOf(cause)}`, {
        cause,
        hint: "check that the folder exists and may be written",
      });
    }
    throw cause;
  }
}

/**
 * Writes a file for its owner alone where there is none: of many who try at once one succeeds, and the file is on disk then.
 * @returns whether it was written; false when there is one
 */
export async function writeNewSecret(path: string, content: string): Promise<boolean> {
  const draft = `${resolve(path)}.${randomUUID()}`;
  await writeWholeFile(draft, content, { secret: true });
  try {
    const handle = await open(draft);
    await handle.sync().finally(() => handle.close());
    await link(draft, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new CliError("CLI_FILE", `${path} can't be written: ${messageOf(cause)}`, { cause });
  } finally {
    await rm(draft, { force: true });
  }
}

async function requirePrivate(path: string, what: string): Promise<void> {
  const { mode, uid } = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, what, cause);
  });
  const self = process.getuid?.() ?? uid;
  if (uid !== self)
    throw notPrivate(path, what, `belongs to user ${uid}`, "use a file of your own");
  if ((mode & 0o077) !== 0) {
    const bits = (mode & 0o777).toString(8).padStart(4, "0");
    throw notPrivate(path, what, `is open to others (mode ${bits})`, `chmod 600 ${path}`);
  }
}

function isSystemError(thrown: unknown): boolean {
  return typeof (thrown as { syscall?: unknown } | undefined)?.syscall === "string";
}

function unreadable(path: string, what: string, cause: unknown): CliError {
  const missing = (cause as { code?: unknown }).code === "ENOENT";
  return new CliError(
    "CLI_FILE",
    missing
      ? `there is no ${what} at ${path}`
      : `${what} ${path} can't be read: ${messageOf(cause)}`,
    { hint: "check the path and its permissions" },
  );
}

function notPrivate(path: string, what: string, fault: string, hint: string): CliError {
  return new CliError("CLI_NOT_PRIVATE", `${what} ${path} ${fault}, and is not used`, { hint });
}

function tooLong(path: string, what: string, maximum: number): CliError {
  return new CliError("CLI_FILE", `${what} ${path} is over ${maximum} bytes`);
}
