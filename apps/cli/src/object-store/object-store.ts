// The demo's S3 endpoint: s3rver keeps the objects, and a front that it can't be reached past checks every signature,
// which s3rver does not. Bodies flow through in parts; one that is not what was signed is taken out again.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock } from "@holdfast/core";
import { BodyMismatch, ChunkedBody } from "./chunked-body.ts";
import { checkSignature, type StoreCredentials } from "./signature.ts";

/** What the store is made of. */
export interface ObjectStoreOptions {
  readonly directory: string;
  readonly bucket: string;
  readonly credentials: StoreCredentials;
  readonly listen: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  /** Told what was asked, and how it was answered. */
  readonly onRequest?: (line: string) => void;
}

/** A store that listens. */
export interface ObjectStore {
  readonly url: string;
  close(): Promise<void>;
}

interface Backend {
  configureBuckets(): Promise<unknown>;
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
}

const WRITE_TRIES = 250;
/** Clients keep idle connections for a while; one that is cut just as it is used breaks an upload off. */
const IDLE_MS = 75_000;
const WRITE_POLL_MS = 20;

/** Starts the store. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStore> {
  await mkdir(options.directory, { recursive: true });
  // Only our own user can reach a socket in a private folder.
  const privateDirectory = await mkdtemp(join(tmpdir(), "holdfast-store-"));
  const socketPath = join(privateDirectory, "s3.sock");
  const backend = newBackend(options);
  await backend.configureBuckets();
  const inner = createServer({ keepAliveTimeout: IDLE_MS }, backend.callback());
  await listening(inner, { path: socketPath });
  const front = createServer(
    { requestTimeout: 0, keepAliveTimeout: IDLE_MS },
    (request, response) => {
      handle(request, response, socketPath, options).catch((thrown: unknown) => {
        options.onRequest?.(`${request.method} ${request.url} failed: ${String(thrown)}`);
        response.destroy();
      });
    },
  );
  await listening(front, options.listen);
  const { address, port } = front.address() as AddressInfo;
  return {
    url: `http://${address}:${port}`,
    close: async () => {
      await Promise.all([closed(front), closed(inner)]);
      await rm(privateDirectory, { recursive: true, force: true });
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  socketPath: string,
  { credentials, clock, onRequest }: ObjectStoreOptions,
): Promise<void> {
  const verdict = await checkSignature(request, credentials, clock.now());
  if (!verdict.accepted) {
    onRequest?.(`${request.method} ${request.url} refused: ${verdict.code}`);
    refuse(response, 403, verdict.code, verdict.message);
    return;
  }
  const isChunked = verdict.bodySha256 === undefined && isAwsChunked(request);
  const call = httpRequest({
    socketPath,
    method: request.method,
    path: request.url,
    headers: innerHeaders(request, isChunked),
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve).once("error", reject);
  });
  const body = isChunked ? new ChunkedBody() : requireDigest(verdict.bodySha256);
  let length = 0;
  body.on("data", (part: Buffer) => {
    length += part.length;
  });
  const sent = pipeline(request, body, holdLastPart(), call);
  sent.catch(() => undefined);
  try {
    const answer = await Promise.race([answered, sent.then(() => answered)]);
    if (request.method === "PUT" && answer.statusCode === 200) {
      await untilWritten(socketPath, request.url ?? "/", length);
    }
    onRequest?.(`${request.method} ${request.url} ${answer.statusCode}`);
    // Whether a connection goes on is a matter of each connection.
    const { connection: _, ...headers } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, headers);
    await pipeline(answer, response);
  } catch (thrown) {
    if (!(thrown instanceof BodyMismatch)) throw thrown;
    await takeOut(socketPath, request.url ?? "/");
    onRequest?.(`${request.method} ${request.url} refused: XAmzContentSHA256Mismatch`);
    refuse(response, 400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed");
  }
}

function isAwsChunked(request: IncomingMessage): boolean {
  return String(request.headers["x-amz-content-sha256"]).startsWith("STREAMING-");
}

/** Headers without what the front has dealt with: the signature and the frames. */
function innerHeaders(request: IncomingMessage, isChunked: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...request.headers, connection: "close" };
  for (const name of ["authorization", "expect", "transfer-encoding"]) delete headers[name];
  if (!isChunked) return headers;
  for (const name of ["content-encoding", "x-amz-content-sha256", "x-amz-trailer"])
    delete headers[name];
  headers["content-length"] = String(request.headers["x-amz-decoded-content-length"]);
  return headers;
}

/** Passes bytes on, and breaks before the end when they are not those that were signed. */
function requireDigest(wanted: string | undefined): Transform {
  const hash = createHash("sha256");
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      if (wanted !== undefined) hash.update(part);
      done(null, part);
    },
    flush(done) {
      const same = wanted === undefined || hash.digest("hex") === wanted;
      done(same ? null : new BodyMismatch("body is not the one that was signed"));
    },
  });
}

/** Keeps the last part until the body was found to be whole: no object is complete, and none acknowledged, before. */
function holdLastPart(): Transform {
  let held: Buffer | undefined;
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      if (held !== undefined) this.push(held);
      held = part;
      done();
    },
    flush(done) {
      done(null, held);
    },
  });
}

/** s3rver answers before its file is written; whoever reads next must find all of it. */
async function untilWritten(socketPath: string, path: string, length: number): Promise<void> {
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    const { headers } = await ask(socketPath, "HEAD", path);
    // A bucket has no length: there is nothing to wait for.
    const written = headers["content-length"];
    if (written === undefined || Number(written) >= length) return;
    await new Promise((resolve) => setTimeout(resolve, WRITE_POLL_MS));
  }
}

/** Removes what a body that broke off left behind. */
async function takeOut(socketPath: string, path: string): Promise<void> {
  await ask(socketPath, "DELETE", path).catch(() => undefined);
}

/** Asks the store behind the front something without a body. */
function ask(socketPath: string, method: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ socketPath, method, path, headers: { connection: "close" } });
    call.once("response", (answer) => answer.resume().once("close", () => resolve(answer)));
    call.once("error", reject);
    call.end();
  });
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  response.end(body);
}

function newBackend({ directory, bucket }: ObjectStoreOptions): Backend {
  // A CommonJS package without types.
  const S3rver = createRequire(import.meta.url)("s3rver") as new (options: object) => Backend;
  return new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
}

function listening(
  server: Server,
  where: { path: string } | { host: string; port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => resolve());
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
