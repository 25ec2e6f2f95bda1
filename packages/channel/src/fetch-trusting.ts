// fetch for services under an authority of one's own: TLS 1.3, that authority believed and no other. The platform's
// fetch takes no authorities; this one carries the same exchanges, and follows no redirect.
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ClientIdentity } from "./keys.ts";
import { readParts } from "./read-parts.ts";

/** Whom to believe, and as whom to call. */
export interface TrustOptions {
  /** The only authorities that are believed, PEM; the system's when absent. */
  readonly authoritiesPem?: string | Uint8Array;
  /** Shown to a service that asks for a certificate. */
  readonly identity?: ClientIdentity;
  /** How long a service may be silent, in milliseconds; 300 s by default, as for the platform's fetch. */
  readonly silenceMs?: number;
}

/** As much of fetch as typed clients need. */
export type TrustingFetch = (
  url: string,
  init: RequestInit & { duplex?: "half" },
) => Promise<Response>;

/** Statuses that have no body, which Response insists on. */
const EMPTY = new Set([204, 205, 304]);

/**
 * Makes a fetch for `https:` addresses. Each call rejects with Node's own error when the service can't be reached, is
 * not under the authorities, is silent, or when the call's signal is aborted.
 */
export function fetchTrusting(options: TrustOptions): TrustingFetch {
  const { authoritiesPem, identity, silenceMs = 300_000 } = options;
  const agent = new Agent({
    keepAlive: true,
    ...(authoritiesPem === undefined ? {} : { ca: Buffer.from(authoritiesPem) }),
    minVersion: "TLSv1.3",
    ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.keyPem }),
  });
  return (url, init) => exchange(agent, silenceMs, url, init);
}

async function exchange(
  agent: Agent,
  silenceMs: number,
  url: string,
  { method, headers, body, signal }: RequestInit,
): Promise<Response> {
  const call = httpsRequest(url, {
    agent,
    method: method ?? "GET",
    headers: {
      ...Object.fromEntries(new Headers(headers)),
      ...(body instanceof Uint8Array ? { "content-length": body.length } : {}),
    },
    timeout: silenceMs,
    ...(signal == null ? {} : { signal }),
  });
  call.once("timeout", () => call.destroy(new Error(`no word for ${silenceMs} ms`)));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.on("error", reject);
    // Whatever else ends the call: nobody is left waiting.
    call.once("close", () => reject(new Error("the connection closed before an answer")));
  });
  // A service may answer before it has read the whole body, a refusal for example: the answer counts.
  const source = new Source(body);
  source.sendTo(call).catch(() => undefined);
  const answer = await answered.catch((cause: unknown) => {
    throw source.fault ?? cause;
  });
  const status = answer.statusCode ?? 0;
  if (EMPTY.has(status)) answer.resume();
  return new Response(EMPTY.has(status) ? null : ReadableStream.from(readParts(answer)), {
    status,
    headers: headersOf(answer),
  });
}

/** A body to be sent, which may fail by itself. */
class Source {
  readonly #body: RequestInit["body"];
  /** Why it failed. */
  fault: unknown;

  constructor(body: RequestInit["body"]) {
    this.#body = body;
  }

  /** Sends it; what fails ends the call, so that the service sees a broken request and never a short body. */
  async sendTo(call: ClientRequest): Promise<void> {
    if (this.#body == null || this.#body instanceof Uint8Array) call.end(this.#body ?? undefined);
    else await pipeline(Readable.from(this.#parts(), { objectMode: false }), call);
  }

  async *#parts(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#body as ReadableStream<Uint8Array>;
    } catch (thrown) {
      this.fault = thrown;
      throw thrown;
    }
  }
}

function headersOf({ headers }: IncomingMessage): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value ?? []].flat()) all.append(name, each);
  }
  return all;
}
