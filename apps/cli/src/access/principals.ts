// The file of principals: who may do what, by digests of tokens, never tokens. It is replaced whole, for its owner alone.
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@holdfast/core";
import { CliError } from "../errors.ts";
import { readPrivateFile, writeWholeFile } from "../files.ts";

/** What a principal may do. */
export const ROLES = ["reader", "user", "admin", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** One who is known. Members that are not named here are kept as they are. */
export interface Principal {
  readonly name: string;
  /** In every namespace. */
  readonly roles?: readonly string[];
  /** In namespaces by name. */
  readonly namespaces?: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 of the token, hexadecimal. */
  readonly token_sha256?: string;
  /** SHA-256 of a client certificate, DER, hexadecimal. */
  readonly certificate_sha256?: string;
}

const TOKEN_BYTES = 32;
const PATIENCE_MS = 5000;
const STALE_MS = 60_000;
const POLL_MS = 20;

/** A new token. The prefix is for people and for programs that look for leaked secrets. */
export function newToken(): string {
  return `hf_${randomBytes(TOKEN_BYTES).toString("base64url")}`;
}

/** What the file holds of a token. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/**
 * Everybody in a file; nobody when there is none.
 * @throws CliError CLI_FILE, CLI_NOT_PRIVATE, CLI_INPUT
 */
export async function readPrincipals(file: string): Promise<readonly Principal[]> {
  if (!existsSync(file)) return [];
  const text = await readPrivateFile(file, "file of principals");
  try {
    const { principals } = JSON.parse(text) as { principals?: unknown };
    if (!Array.isArray(principals)) throw new Error("a list of principals is expected");
    for (const each of principals) requirePrincipal(each);
    return principals;
  } catch (cause) {
    throw new CliError("CLI_INPUT", `${file} is no file of principals: ${messageOf(cause)}`);
  }
}

/**
 * Replaces the file by what `change` makes of it, unless that is what it was given; one at a time.
 * @throws CliError CLI_FILE when somebody else does not end to change it, and as readPrincipals
 */
export async function changePrincipals(
  file: string,
  change: (
    principals: readonly Principal[],
  ) => readonly Principal[] | Promise<readonly Principal[]>,
): Promise<void> {
  const lock = `${file}.lock`;
  const handle = await takeLock(lock);
  try {
    const before = await readPrincipals(file);
    const principals = await change(before);
    if (principals === before) return;
    const text = JSON.stringify({ principals }, undefined, 2);
    await writeWholeFile(file, `${text}\n`, { secret: true });
  } finally {
    await handle.close();
    await rm(lock, { force: true });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  EEXIST: "somebody else changes the principals now; when nobody does, remove that file",
  ENOENT: "`holdfast up` makes the directory on its first start; --data-dir says where it is",
};

async function takeLock(lock: string): Promise<FileHandle> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await open(lock, "wx", 0o600);
    } catch (cause) {
      const { code } = cause as { code?: unknown };
      const held = code === "EEXIST";
      if (held && (await isStale(lock))) await rm(lock, { force: true });
      else if (held && performance.now() < until) await sleep(POLL_MS);
      else {
        const hint = HINTS[String(code)];
        const text = `${lock} can't be made: ${messageOf(cause)}`;
        throw new CliError("CLI_FILE", text, hint === undefined ? {} : { hint });
      }
    }
  }
}

/** A change takes milliseconds: a lock of long ago belongs to a command that was killed. */
async function isStale(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > STALE_MS;
}

function requirePrincipal(untrusted: unknown): void {
  const { name, roles = [], namespaces = {} } = (untrusted ?? {}) as Partial<Principal>;
  if (typeof name !== "string" || name === "") throw new Error("a principal has no name");
  const lists = [roles, ...Object.values(namespaces)];
  if (!lists.every(Array.isArray)) throw new Error(`roles of ${name} are no list`);
}
