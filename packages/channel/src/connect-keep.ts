// The client side: TLS 1.3 to the address in the policy, the keep judged on every new socket before a byte of any
// request goes out.
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import { type HttpRequest, type HttpResponse, type HttpTransport, messageOf } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { ChannelError } from "./errors.ts";
import type { KeepVerdict } from "./judge-keep.ts";
import type { ClientIdentity } from "./keys.ts";
import { type OpenOptions, openJudged } from "./open-judged.ts";
import { readParts } from "./read-parts.ts";

/** How to reach and judge a keep, and as whom. */
export interface ConnectOptions extends OpenOptions {
  readonly identity: ClientIdentity;
}

/** A judged connection; further sockets to the same keep are judged the same way. */
export interface KeepConnection extends HttpTransport {
  readonly verdict: KeepVerdict;
  close(): void;
}

const MAXIMUM_SOCKETS = 8;

/**
 * Connects to the keep that a policy names and judges it.
 * @throws ChannelError CHANNEL_IDENTITY when certificate and key don't belong together, CHANNEL_UNREACHABLE,
 *   CHANNEL_TIMEOUT, CHANNEL_NOT_PROVEN with the checks when the keep does not prove itself
 */
export async function connectKeep(options: ConnectOptions): Promise<KeepConnection> {
  checkIdentity(options.identity);
  const hash = await policyHash(options.policy.text);
  const first = await openJudged(options, hash);
  // The signal is for connecting: who gives up later must still be able to say so to the keep.
  const { signal: _, ...later } = options;
  const agent = new JudgedAgent(later, hash, first.socket);
  return {
    verdict: first.verdict,
    request: (request) => exchange(agent, options, request),
    close: () => agent.destroy(),
  };
}

class JudgedAgent extends Agent {
  readonly #options: ConnectOptions;
  readonly #hash: string;
  #ready: TLSSocket | undefined;

  constructor(options: ConnectOptions, hash: string, ready: TLSSocket) {
    super({ keepAlive: true, maxSockets: MAXIMUM_SOCKETS, scheduling: "lifo" });
    this.#options = options;
    this.#hash = hash;
    this.#ready = ready;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, socket: TLSSocket) => void,
  ): TLSSocket | undefined {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready !== undefined && !ready.destroyed) return ready;
    openJudged(this.#options, this.#hash).then(
      ({ socket }) => callback?.(null, socket),
      // Node takes an error without a socket; its type does not say so.
      (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
    );
    return undefined;
  }

  override destroy(): void {
    this.#ready?.destroy();
    super.destroy();
  }
}

async function exchange(
  agent: Agent,
  { policy, timeoutMs = 30_000 }: ConnectOptions,
  request: HttpRequest,
): Promise<HttpResponse> {
  const query = new URLSearchParams(request.query).toString();
  const isBytes = request.body instanceof Uint8Array;
  const call = httpRequest({
    agent,
    host: policy.serverUrl.host,
    port: policy.serverUrl.port,
    method: request.method,
    path: query === "" ? request.path : `${request.path}?${query}`,
    headers: {
      ...(isBytes ? { "content-length": String(request.body?.length) } : {}),
      ...request.headers,
    },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  call.setTimeout(timeoutMs, () =>
    call.destroy(new ChannelError("CHANNEL_TIMEOUT", `the keep was silent for ${timeoutMs} ms`)),
  );
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.on("error", (cause) => reject(closed(cause)));
    // A keep that refuses a certificate closes just after the handshake. Node listens for that only once the request has
    // its socket: one that closed a moment earlier is never heard of, and no time limit of Node's runs on it.
    call.once("socket", (socket) => {
      if (!socket.destroyed) return;
      reject(closed("it was closed before the request went out"));
      call.destroy();
    });
  });
  // A server may answer before it has read the whole body, a refusal for example: the answer counts.
  const sent = sendBody(call, request.body);
  sent.catch(() => undefined);
  const answer = await answered;
  return {
    status: answer.statusCode ?? 0,
    headers: flatHeaders(answer),
    body: readAnswer(answer),
  };
}

async function sendBody(call: ClientRequest, body: HttpRequest["body"]): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    call.end(body);
    return;
  }
  try {
    await pipeline(Readable.from(body, { objectMode: false, highWaterMark: 1 << 20 }), call);
  } catch (cause) {
    // The source failed: the keep must see a broken request, never a short file.
    call.destroy(closed(cause));
    throw cause;
  }
}

async function* readAnswer(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* readParts(answer);
  } catch (cause) {
    throw closed(cause);
  }
}

function flatHeaders(answer: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  );
}

function checkIdentity({ certificatePem, keyPem }: ClientIdentity): void {
  try {
    const certificate = new X509Certificate(certificatePem);
    const own = createPublicKey(createPrivateKey(keyPem));
    if (certificate.publicKey.equals(own)) return;
  } catch (cause) {
    throw new ChannelError(
      "CHANNEL_IDENTITY",
      `certificate or key can't be read: ${messageOf(cause)}`,
      { cause },
    );
  }
  throw new ChannelError("CHANNEL_IDENTITY", "the private key does not belong to the certificate");
}

function closed(cause: unknown): ChannelError {
  if (cause instanceof ChannelError) return cause;
  return new ChannelError(
    "CHANNEL_CLOSED",
    `the connection to the keep was lost: ${messageOf(cause)}`,
    { cause },
  );
}
