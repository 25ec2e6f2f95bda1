// The client side: TLS 1.3 to the address in the policy, the keep judged on every new socket before a byte of any
// request goes out. Chains and dates are judged by our own verifier, so Node's is told to keep out of it.
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type DetailedPeerCertificate, type TLSSocket, connect as tlsConnect } from "node:tls";
import {
  type Clock,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  messageOf,
  unmet,
} from "@holdfast/core";
import { type Policy, policyHash } from "@holdfast/policy";
import { ChannelError } from "./errors.ts";
import { judgeKeep, type KeepVerdict, type SkippableCheck } from "./judge-keep.ts";
import type { ClientIdentity } from "./keys.ts";
import { PREFERRED_GROUPS } from "./serve-keep.ts";

/** How to reach and judge a keep. */
export interface ConnectOptions {
  readonly policy: Policy;
  readonly identity: ClientIdentity;
  readonly clock: Clock;
  readonly skip?: ReadonlySet<SkippableCheck>;
  /** For connecting, and for silence on a connection, in milliseconds; 30 s by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A judged connection; further sockets to the same keep are judged the same way. */
export interface KeepConnection extends HttpTransport {
  readonly verdict: KeepVerdict;
  close(): void;
}

const MAXIMUM_SOCKETS = 8;
const MAXIMUM_CHAIN = 6;

/**
 * Connects to the keep that a policy names and judges it.
 * @throws ChannelError CHANNEL_IDENTITY when certificate and key don't belong together, CHANNEL_UNREACHABLE,
 *   CHANNEL_TIMEOUT, CHANNEL_NOT_PROVEN with the checks when the keep does not prove itself
 */
export async function connectKeep(options: ConnectOptions): Promise<KeepConnection> {
  checkIdentity(options.identity);
  const hash = await policyHash(options.policy.text);
  const first = await openJudged(options, hash);
  const agent = new JudgedAgent(options, hash, first.socket);
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

async function openJudged(
  options: ConnectOptions,
  hash: string,
): Promise<{ socket: TLSSocket; verdict: KeepVerdict }> {
  const socket = await openSocket(options);
  try {
    const verdict = await judgeKeep({
      chain: peerChain(socket),
      policy: options.policy,
      policyHash: hash,
      at: options.clock.now(),
      ...(options.skip === undefined ? {} : { skip: options.skip }),
    });
    if (!verdict.affirmed) {
      const [reason] = unmet(verdict.checks).filter(({ outcome }) => outcome === "failed");
      throw new ChannelError(
        "CHANNEL_NOT_PROVEN",
        `the keep does not prove itself: ${reason?.name}: ${reason?.detail}`,
        { checks: verdict.checks },
      );
    }
    return { socket, verdict };
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

function openSocket({
  policy,
  identity,
  timeoutMs = 30_000,
  signal,
}: ConnectOptions): Promise<TLSSocket> {
  const { host, port } = policy.serverUrl;
  const where = `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host,
      port,
      cert: identity.certificatePem,
      key: identity.keyPem,
      minVersion: "TLSv1.3",
      ecdhCurve: PREFERRED_GROUPS,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: false,
    });
    const fail = (error: ChannelError): void => {
      signal?.removeEventListener("abort", abort);
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(new ChannelError("CHANNEL_CLOSED", "cancelled"));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    socket.setTimeout(timeoutMs, () =>
      fail(new ChannelError("CHANNEL_TIMEOUT", `${where} did not answer within ${timeoutMs} ms`)),
    );
    socket.once("error", (cause) =>
      fail(
        new ChannelError("CHANNEL_UNREACHABLE", `no connection to ${where}: ${messageOf(cause)}`, {
          cause,
        }),
      ),
    );
    socket.once("secureConnect", () => {
      signal?.removeEventListener("abort", abort);
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy());
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      resolve(socket);
    });
  });
}

function peerChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < MAXIMUM_CHAIN) {
    chain.push(new Uint8Array(certificate.raw));
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return chain;
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
    for await (const part of answer) yield part as Uint8Array;
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
