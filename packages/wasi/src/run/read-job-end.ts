// What a worker says of the end of its job, read anew: a program that broke out of WebAssembly into the JavaScript of its
// thread could say anything. Rights and pins are the receiver's to check; here each value is of the kind it should be.
import { CHUNK_BYTES, type Content } from "../store/content.ts";
import type { Changes, StoredNode } from "../store/snapshot.ts";
import type { JobEnd } from "../worker/job.ts";

const STATES = ["exited", "trapped", "cancelled", "limit", "failed"] as const;
const MAXIMUM_TEXT = 256;
const MAXIMUM_TARGET = 4096;

/** Reads an answer. @throws TypeError when it is none */
export function readJobEnd(untrusted: unknown): JobEnd {
  const end = object(untrusted);
  const state = STATES.find((each) => each === end["state"]);
  if (state === undefined) throw fault("state");
  const trap = end["trap"] === undefined ? undefined : object(end["trap"]);
  return {
    state,
    ...(end["exitCode"] === undefined ? {} : { exitCode: whole(end["exitCode"], 2 ** 32 - 1) }),
    ...(trap === undefined
      ? {}
      : {
          trap: {
            message: text(trap["message"]),
            ...(trap["function"] === undefined ? {} : { function: text(trap["function"]) }),
          },
        }),
    ...(end["reason"] === undefined ? {} : { reason: text(end["reason"]) }),
    ...(end["changes"] === undefined ? {} : { changes: readChanges(end["changes"]) }),
    inputs: list(end["inputs"]).map((path) => text(path, MAXIMUM_TARGET)),
    durationMs: finite(end["durationMs"]),
    reusable: end["reusable"] === true,
  };
}

function readChanges(untrusted: unknown): Changes {
  const changes = object(untrusted);
  return {
    removed: list(changes["removed"]).map((path) => text(path, MAXIMUM_TARGET)),
    written: list(changes["written"]).map(readNode),
  };
}

function readNode(untrusted: unknown): StoredNode {
  const node = object(untrusted);
  const { kind } = node;
  const place = {
    path: text(node["path"], MAXIMUM_TARGET),
    accessed: nanoseconds(node["accessed"]),
    modified: nanoseconds(node["modified"]),
  };
  if (kind === "file") return { kind, ...place, content: readContent(node["content"]) };
  if (kind === "symlink") return { kind, ...place, target: text(node["target"], MAXIMUM_TARGET) };
  if (kind === "directory") return { kind, ...place };
  throw fault("kind");
}

function readContent(untrusted: unknown): Content {
  const content = object(untrusted);
  const size = whole(content["size"], Number.MAX_SAFE_INTEGER);
  const chunks = list(content["chunks"]).map((chunk) => {
    if (chunk === null) return null;
    if (!(chunk instanceof SharedArrayBuffer) || chunk.growable || chunk.byteLength > CHUNK_BYTES) {
      throw fault("chunk");
    }
    return chunk;
  });
  if (chunks.length !== Math.ceil(size / CHUNK_BYTES)) throw fault("chunks");
  return { size, chunks };
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw fault("object");
  return value as Record<string, unknown>;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw fault("list");
  return value;
}

function text(value: unknown, maximum: number = MAXIMUM_TEXT): string {
  if (typeof value !== "string" || value.length > maximum) throw fault("text");
  return value;
}

function whole(value: unknown, maximum: number): number {
  const fits = typeof value === "number" && Number.isInteger(value) && value >= 0;
  if (!fits || value > maximum) throw fault("number");
  return value;
}

function finite(value: unknown): number {
  if (typeof value !== "number" || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw fault("number");
  }
  return value;
}

function nanoseconds(value: unknown): bigint {
  if (typeof value !== "bigint" || value < -(2n ** 63n) || value >= 2n ** 64n) throw fault("time");
  return value;
}

function fault(what: string): TypeError {
  return new TypeError(`a worker answered with an unknown ${what}`);
}
