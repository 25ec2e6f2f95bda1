// State in one JSON file: read by its schema, replaced as a whole, on disk before anybody relies on it, for the owner alone.
import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { TrustError } from "../errors.ts";

/**
 * The state in a file; undefined when there is no file.
 * @throws TrustError STATE_UNUSABLE for anything else than what was written
 */
export async function readState<T extends TSchema>(
  file: string,
  schema: T,
): Promise<Static<T> | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    // What a parser says of a text quotes it, and there are secrets among these.
    const fault = cause instanceof SyntaxError ? "it is not JSON" : messageOf(cause);
    throw new TrustError("STATE_UNUSABLE", `${file} can't be read: ${fault}`);
  }
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  throw new TrustError(
    "STATE_UNUSABLE",
    `${file}: ${first?.instancePath || "/"} ${first?.message}`,
  );
}

/** Replaces the state in a file. */
export async function writeState(file: string, value: unknown): Promise<void> {
  await writeWhole(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Writes a file for its owner alone, whole or not at all; answers when it is on disk. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(file));
}

/** Answers when what was made, replaced and removed in a directory is so on disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Refuses a file of secrets that others may read.
 * @throws TrustError STATE_UNUSABLE
 */
export async function requirePrivate(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) === 0) return;
  const fault = "others than its owner may read it (chmod 600)";
  throw new TrustError("STATE_UNUSABLE", `${file}: ${fault}`);
}
