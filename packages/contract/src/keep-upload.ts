// An upload that survives lost connections: after a break it asks where the keep stands and goes on from there.
import { toBase64 } from "@holdfast/core";
import { Type } from "typebox";
import { counted, type OnProgress } from "./counted.ts";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { StoredFile } from "./keep.ts";
import type { KeepCalls } from "./keep-calls.ts";

/** Gives a file's bytes from an offset to its end; asked again after each break. */
export type ResumableSource = (offset: number) => AsyncIterable<Uint8Array>;

/** Options of an upload that can be resumed. */
export interface ResumeOptions {
  /** Length of the whole in bytes. */
  readonly size: number;
  /** Raw SHA-256 of the whole. */
  readonly sha256?: Uint8Array;
  readonly append?: boolean;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Breaks in a row without a byte of progress after which it gives up; 5 by default. */
  readonly attempts?: number;
  /** Waits between attempts, in milliseconds; doubled each time, 250 by default. */
  readonly waitMs?: number;
}

const DROP_MS = 5000;
const RESTARTS = 2;
const Opened = Type.Object({ id: Type.String(), offset: Type.Integer() });

/**
 * Uploads a file, resuming after breaks. When it gives up, what the keep has of the file is dropped.
 * @throws ServiceRefusal when the keep refuses; what the source throws; what the transport throws when it gave up
 */
export async function uploadResumably(
  calls: KeepCalls,
  path: string,
  source: ResumableSource,
  options: ResumeOptions,
): Promise<StoredFile> {
  for (let restarts = 0; ; restarts += 1) {
    const { id } = await open(calls, path, options);
    try {
      return await sendAll(calls, id, source, options);
    } catch (thrown) {
      await drop(calls, id);
      if (restarts >= RESTARTS || options.append || !isForgotten(thrown)) throw thrown;
    }
  }
}

/**
 * The keep knows nothing of the upload: it went stale, or it was complete so long ago that the keep has forgotten that.
 * Writing the whole again comes to the same; appending would not.
 */
function isForgotten(thrown: unknown): boolean {
  return thrown instanceof ServiceRefusal && thrown.status === 404;
}

async function sendAll(
  calls: KeepCalls,
  id: string,
  source: ResumableSource,
  options: ResumeOptions,
): Promise<StoredFile> {
  const patience = { left: options.attempts ?? 5, waitMs: options.waitMs ?? 250 };
  const own: { fault?: unknown } = {};
  let offset = 0;
  let attempts = 0;
  for (;;) {
    try {
      return await sendFrom(calls, id, offset, telling(source, own), options);
    } catch (thrown) {
      // A file that can't be read looks like a lost connection, and no other connection would help.
      if (own.fault !== undefined) throw own.fault;
      if (!isBreak(thrown) || options.signal?.aborted) throw thrown;
      attempts += 1;
      if (attempts > patience.left) throw thrown;
      await wait(patience.waitMs * 2 ** (attempts - 1), options.signal);
    }
    const standsAt = await askOffset(calls, id, options.signal);
    if (standsAt !== undefined && standsAt > offset) attempts = 0;
    offset = standsAt ?? offset;
  }
}

/** The same source; its failure is noted. */
function telling(source: ResumableSource, own: { fault?: unknown }): ResumableSource {
  return async function* (offset) {
    try {
      yield* source(offset);
    } catch (thrown) {
      own.fault = thrown;
      throw thrown;
    }
  };
}

function open(
  calls: KeepCalls,
  path: string,
  { size, sha256, append, signal }: ResumeOptions,
): Promise<{ id: string }> {
  return calls.json(Opened, {
    method: "POST",
    path: "/v1/uploads",
    query: { path, ...(append ? { append: "1" } : {}) },
    headers: {
      "upload-length": String(size),
      ...(sha256 === undefined ? {} : { "repr-digest": `sha-256=:${toBase64(sha256)}:` }),
    },
    ...(signal === undefined ? {} : { signal }),
  });
}

function sendFrom(
  calls: KeepCalls,
  id: string,
  offset: number,
  source: ResumableSource,
  { size, onProgress, signal }: ResumeOptions,
): Promise<StoredFile> {
  return calls.json(StoredFile, {
    method: "PATCH",
    path: `/v1/uploads/${encodeURIComponent(id)}`,
    headers: {
      "content-type": "application/partial-upload",
      "content-length": String(size - offset),
      "upload-offset": String(offset),
      "upload-complete": "?1",
    },
    body: counted(source(offset), (sent) => onProgress?.(offset + sent)),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** At best effort: a keep that can't be told drops it by itself, later. */
async function drop(calls: KeepCalls, id: string): Promise<void> {
  try {
    const { body } = await calls.accepted({
      method: "DELETE",
      path: `/v1/uploads/${encodeURIComponent(id)}`,
      signal: AbortSignal.timeout(DROP_MS),
    });
    for await (const _part of body);
  } catch {
    // The failure that led here is the one to tell.
  }
}

/** Where the keep stands; undefined when it can't be asked just now. */
async function askOffset(
  calls: KeepCalls,
  id: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  try {
    const { headers, body } = await calls.accepted({
      method: "HEAD",
      path: `/v1/uploads/${encodeURIComponent(id)}`,
      ...(signal === undefined ? {} : { signal }),
    });
    for await (const _part of body);
    const offset = headers["upload-offset"];
    if (offset !== undefined && /^\d{1,15}$/.test(offset)) return Number(offset);
  } catch (thrown) {
    if (!isBreak(thrown) || signal?.aborted) throw thrown;
    return undefined;
  }
  throw new ServiceError("SERVICE_ANSWER", "the keep does not say where the upload stands");
}

/** A lost connection, or a keep that has not noticed the loss yet. What the keep refuses stays refused. */
function isBreak(thrown: unknown): boolean {
  if (thrown instanceof ServiceRefusal) {
    return thrown.code === "UPLOAD_BUSY" || thrown.code === "UPLOAD_OFFSET";
  }
  return !(thrown instanceof ServiceError);
}

async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, milliseconds);
    signal?.addEventListener("abort", settle);
  });
}
