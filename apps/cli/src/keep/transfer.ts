// Files into a keep and out of it, in parts: neither side of the wire holds a whole file here.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { KeepClient } from "@holdfast/contract";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { sizeOfSource, writeWholeFile } from "../files.ts";
import type { Assignment } from "./assignment.ts";
import { openPipe } from "./open-pipe.ts";

/** What moved. */
export interface Moved {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const PART = 1 << 20;

/**
 * Sends one file, and holds the keep to what it says it stored.
 * @throws CliError CLI_SERVICE when the keep stored something else
 */
export async function sendFile(
  context: Pick<Context, "terminal" | "stdin" | "interrupted">,
  keep: KeepClient,
  { name, path }: Assignment,
): Promise<Moved> {
  const { size, source } = await openSource(context, path);
  const hash = createHash("sha256");
  const progress = context.terminal.progress(`sending ${name}`, size);
  let bytes = 0;
  try {
    const stored = await keep.putFile(name, hashed(source, hash), {
      ...(size === undefined ? {} : { size }),
      signal: context.interrupted,
      onProgress: (moved) => {
        bytes = moved;
        progress.update(moved);
      },
    });
    const sha256 = hash.digest("hex");
    if (stored.size !== bytes || (stored.sha256 !== undefined && stored.sha256 !== sha256)) {
      throw new CliError("CLI_SERVICE", `the keep stored ${name} otherwise than it was sent`);
    }
    return { name, path, bytes, sha256 };
  } finally {
    progress.end();
    if (source !== context.stdin) source.destroy();
  }
}

async function openSource(
  { stdin, interrupted }: Pick<Context, "stdin" | "interrupted">,
  path: string,
): Promise<{ size?: number; source: Readable }> {
  if (path === "-") return { source: stdin };
  const size = await sizeOfSource(path, "file");
  if (size === undefined) return { source: await openPipe(path, interrupted) };
  return { size, source: createReadStream(path, { highWaterMark: PART }) };
}

/** Fetches one file or stream to a path, `-` being stdout. Nothing half-written remains. */
export async function fetchFile(
  context: Pick<Context, "terminal" | "interrupted">,
  keep: KeepClient,
  { name, path }: Assignment,
  toStdout: (part: Uint8Array) => Promise<void>,
): Promise<Moved> {
  const { size, body } = await keep.readFile(name, { signal: context.interrupted });
  const progress = context.terminal.progress(`fetching ${name}`, size);
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = watched(hashed(body, hash), (moved) => {
    bytes = moved;
    progress.update(moved);
  });
  try {
    if (path === "-") for await (const part of counted) await toStdout(part);
    else await writeWholeFile(path, counted);
    return { name, path, bytes, sha256: hash.digest("hex") };
  } finally {
    progress.end();
  }
}

async function* hashed(source: AsyncIterable<unknown>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const part of source) {
    hash.update(part as Uint8Array);
    yield part as Uint8Array;
  }
}

async function* watched(
  source: AsyncIterable<Uint8Array>,
  onMoved: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let moved = 0;
  for await (const part of source) {
    moved += part.length;
    onMoved(moved);
    yield part;
  }
}
