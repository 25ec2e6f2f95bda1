// Routes of files: write, append, read (whole or in part), list.
import { KeepError } from "../errors.ts";
import { listFiles } from "../services/list-files.ts";
import { putFile } from "../services/put-file.ts";
import { findReadable, type ReadableFile } from "../services/read-file.ts";
import type { KeepState } from "../state/keep-state.ts";
import { digestField, parseDigest } from "./digest-fields.ts";
import { type Answer, type Exchange, json, oneOf, type Route } from "./exchange.ts";
import { parseRange } from "./range.ts";

/** Routes of files. */
export function fileRoutes(keep: KeepState): Route[] {
  const path = "/v1/files";
  return [
    { method: "PUT", path, handle: (exchange) => write(keep, exchange, false) },
    { method: "POST", path, handle: (exchange) => write(keep, exchange, true) },
    { method: "GET", path, handle: (exchange) => read(keep, exchange) },
    { method: "HEAD", path, handle: (exchange) => head(keep, exchange) },
    {
      method: "GET",
      path: "/v1/list",
      handle: ({ caller, query }) =>
        json({ entries: listFiles(keep, caller, oneOf(query, "path")) }),
    },
  ];
}

async function write(keep: KeepState, exchange: Exchange, append: boolean): Promise<Answer> {
  const { caller, query, headers, body } = exchange;
  const stored = await putFile(keep, {
    caller,
    path: oneOf(query, "path"),
    append,
    length: lengthOf(headers["content-length"]),
    digest: parseDigest(headers["content-digest"] ?? headers["repr-digest"]),
    drain: body.drain,
  });
  return json(stored, 201);
}

function read(keep: KeepState, { caller, query, headers }: Exchange): Answer {
  const file = findReadable(keep, caller, oneOf(query, "path"));
  const range = isStale(file, headers["if-range"])
    ? undefined
    : parseRange(headers["range"], file.size);
  if (range === undefined) {
    return { status: 200, headers: headersOf(file, file.size), stream: file.open() };
  }
  return {
    status: 206,
    headers: {
      ...headersOf(file, range.end - range.start),
      "content-range": `bytes ${range.start}-${range.end - 1}/${file.size}`,
    },
    stream: file.open(range),
  };
}

/** What there is to read, without reading it, and so without counting as a read. */
function head(keep: KeepState, { caller, query }: Exchange): Answer {
  const file = findReadable(keep, caller, oneOf(query, "path"));
  return { status: 200, headers: headersOf(file, file.size) };
}

function headersOf({ sha256 }: ReadableFile, length: number): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "content-length": String(length),
    "accept-ranges": "bytes",
    ...(sha256 === undefined ? {} : { etag: `"${sha256}"`, "repr-digest": digestField(sha256) }),
  };
}

/** Whoever goes on with a file that has changed since gets it whole (RFC 9110 section 13.1.5). */
function isStale({ sha256 }: ReadableFile, ifRange: string | undefined): boolean {
  return ifRange !== undefined && (sha256 === undefined || ifRange !== `"${sha256}"`);
}

/** Length of a body; undefined when it comes in chunks. */
export function lengthOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new KeepError("REQUEST_INVALID", "content-length is not a number");
}
