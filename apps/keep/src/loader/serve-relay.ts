// The loader's side of the way to the attestation service: carries the keep's two requests there, and nothing else.
import type { Duplex } from "node:stream";
import { encodeFrame, readFrames } from "@holdfast/attester";
import { fromText, messageOf, readBody, toText } from "@holdfast/core";

const PATHS = ["/v1/challenges", "/v1/certificates"];
const MAXIMUM_MESSAGE = 256 * 1024;
/** An answer stands in a message with its quotes escaped. */
const MAXIMUM_ANSWER = 64 * 1024;
const TIMEOUT_MS = 15_000;

/** Serves until the stream ends. */
export async function serveRelay(
  stream: Duplex,
  attestationUrl: string,
  onFault: (message: string) => void,
): Promise<void> {
  try {
    for await (const request of readFrames(stream, MAXIMUM_MESSAGE)) {
      const answer = await carry(toText(request), attestationUrl).catch((thrown: unknown) => {
        const error = `attestation service ${attestationUrl} can't be reached: ${reasonOf(thrown)}`;
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
  request: string,
  attestationUrl: string,
): Promise<{ status: number; body: string }> {
  const { path, body } = JSON.parse(request) as { path?: unknown; body?: unknown };
  if (typeof path !== "string" || !PATHS.includes(path)) throw new Error("not a path to carry to");
  const response = await fetch(new URL(path, attestationUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const bytes =
    response.body === null ? new Uint8Array() : await readBody(response.body, MAXIMUM_ANSWER);
  if (bytes === undefined) throw new Error(`the answer is over ${MAXIMUM_ANSWER} bytes`);
  return { status: response.status, body: toText(bytes) };
}

/** fetch says why only in the cause. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause === undefined ? messageOf(thrown) : messageOf(cause);
}
