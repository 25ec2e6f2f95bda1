// The loader's side of the way to the attestation service: carries the keep's two requests there, and nothing else.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { encodeFrame, readFrames } from "@holdfast/attester";
import { fromText, messageOf, readBody, toText } from "@holdfast/core";

const PATHS = ["/v1/challenges", "/v1/certificates"];
const MAXIMUM_MESSAGE = 256 * 1024;
/** An answer stands in a message with its quotes escaped. */
const MAXIMUM_ANSWER = 64 * 1024;
const TIMEOUT_MS = 15_000;

/** Where the attestation service is. */
export interface RelayTarget {
  readonly url: string;
  /** The only authority that is believed, PEM; the system's when absent. */
  readonly authorityPem?: string;
}

/** Serves until the stream ends. */
export async function serveRelay(
  stream: Duplex,
  target: RelayTarget,
  onFault: (message: string) => void,
): Promise<void> {
  try {
    for await (const message of readFrames(stream, MAXIMUM_MESSAGE)) {
      const answer = await carry(toText(message), target).catch((thrown: unknown) => {
        const error = `attestation service ${target.url} can't be reached: ${messageOf(thrown)}`;
        onFault(error);
        return { error };
      });
      stream.write(encodeFrame(fromText(JSON.stringify(answer))));
    }
  } catch (thrown) {
    onFault(messageOf(thrown));
  }
}

async function carry(
  message: string,
  target: RelayTarget,
): Promise<{ status: number; body: string }> {
  const { path, body } = JSON.parse(message) as { path?: unknown; body?: unknown };
  if (typeof path !== "string" || !PATHS.includes(path)) throw new Error("not a path to carry to");
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
