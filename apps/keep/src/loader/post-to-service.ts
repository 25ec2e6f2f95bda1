// Carries a request of the keep to the attestation service.
import type { Agent, IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";
import { readBody, toText } from "@holdfast/core";

/** Where the attestation service is. */
export interface RelayTarget {
  readonly url: string;
  /** The only authority that is believed, PEM; the system's when absent. */
  readonly authorityPem?: string;
}

const PATHS = /^\/v1\/(?:challenges|certificates|keys\/[a-z0-9][a-z0-9._-]{0,127}\/release)$/;
/** An answer stands in a message with its quotes escaped. */
const MAXIMUM_ANSWER = 64 * 1024;
const TIMEOUT_MS = 15_000;

/** Posts JSON; throws when there is no answer, or nothing to ask at that path. */
export async function postToService(
  path: unknown,
  body: unknown,
  target: RelayTarget,
): Promise<{ status: number; body: string }> {
  if (typeof path !== "string" || !PATHS.test(path)) throw new Error("not a path to carry to");
  const response = await post(path, target, JSON.stringify(body));
  const bytes = await readBody(response, MAXIMUM_ANSWER);
  if (bytes === undefined) throw new Error(`the answer is over ${MAXIMUM_ANSWER} bytes`);
  return { status: response.statusCode ?? 0, body: toText(bytes) };
}

/** One connection for a keep's questions, which come one after the other, and in TLS its session for later ones. */
let agent: Agent | undefined;

// Not fetch: it would double the memory of a process of which there is one for each keep.
async function post(path: string, target: RelayTarget, body: string): Promise<IncomingMessage> {
  const url = new URL(path, target.url);
  // TLS takes memory, too, where it is not needed.
  const { request, Agent } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");
  agent ??= new Agent({ keepAlive: true, maxSockets: 1 });
  const options: RequestOptions = {
    ...(target.authorityPem === undefined ? {} : { ca: target.authorityPem }),
    method: "POST",
    agent,
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const call = request(url, options);
      call.once("response", resolve);
      call.once("error", (cause: NodeJS.ErrnoException) => {
        // The service had closed the connection by the time that it was used again: it has not seen the request.
        if (call.reusedSocket && cause.code === "ECONNRESET") ask().then(resolve, reject);
        else reject(cause);
      });
      call.end(body);
    });
  return await ask();
}
