// Carries a request of the keep to the attestation service.
import type { IncomingMessage } from "node:http";
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

// Not fetch: it would double the memory of a process of which there is one for each keep.
async function post(
  path: string,
  { url: base, authorityPem }: RelayTarget,
  body: string,
): Promise<IncomingMessage> {
  const url = new URL(path, base);
  // TLS takes memory, too, where it is not needed.
  const { request } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");
  return await new Promise((resolve, reject) => {
    const call = request(url, {
      ...(authorityPem === undefined ? {} : { ca: authorityPem }),
      method: "POST",
      agent: false,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    call.once("response", resolve);
    call.once("error", reject);
    call.end(body);
  });
}
