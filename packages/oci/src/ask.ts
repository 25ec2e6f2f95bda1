// One GET, redirects followed, each only to a place that the configuration allows: otherwise whoever may name a source
// could have this machine ask its neighbours. Not fetch: a loader of a keep does this too, and there is one for each keep.
import type { IncomingMessage } from "node:http";
import { messageOf } from "@holdfast/core";
import { SourceError } from "./errors.ts";
import { isWithin } from "./reference.ts";
import { withinSilence } from "./within-silence.ts";

/** Where to ask, and how. */
export interface Asking {
  /** Beginnings of URLs that may be asked. */
  readonly allow: readonly string[];
  readonly signal: AbortSignal;
  /** How long nothing may come, in milliseconds. */
  readonly silenceMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const REDIRECTS = 3;

/**
 * The answer of a URL, whatever its status, or of where it redirects to.
 * @throws SourceError SOURCE_NOT_ALLOWED, SOURCE_FAILED
 */
export async function ask(first: URL, asking: Asking): Promise<IncomingMessage> {
  let url = first;
  for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
    if (!asking.allow.some((beginning) => isWithin(url, beginning))) {
      const text = `the configuration does not allow files from ${url.origin}${url.pathname}`;
      throw new SourceError("SOURCE_NOT_ALLOWED", text);
    }
    // Credentials for one place are not for another.
    const own = url.origin === first.origin ? asking.headers : undefined;
    const answer = await get(url, asking, own);
    const { statusCode = 0, headers } = answer;
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return answer;
    answer.destroy();
    url = URL.parse(headers.location, url) ?? url;
  }
  throw failed(`${first.origin} redirects more than ${REDIRECTS} times`);
}

/** A fault of fetching. */
export function failed(message: string, cause?: unknown): SourceError {
  const text = `the file can't be fetched: ${message}`;
  return new SourceError("SOURCE_FAILED", text, cause === undefined ? {} : { cause });
}

async function get(
  url: URL,
  { signal, silenceMs }: Asking,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  // TLS takes memory, too, where it is not needed.
  const isTls = url.protocol === "https:";
  const { request } = isTls ? await import("node:https") : await import("node:http");
  // The digest is of the bytes as they are: no encoding of them will do.
  const all = { ...headers, "accept-encoding": "identity" };
  const call = request(url, { agent: false, headers: all, signal });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve).on("error", reject).end();
  });
  try {
    return await withinSilence(answer, silenceMs);
  } catch (cause) {
    call.destroy();
    throw failed(`${url.origin} does not answer: ${messageOf(cause)}`, cause);
  }
}
