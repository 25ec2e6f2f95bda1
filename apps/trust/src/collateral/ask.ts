// One exchange with a source, bounded in size and time. What comes back is bytes, trusted by nobody yet.
import { HoldfastError, type HttpTransport, messageOf, readBody } from "@holdfast/core";
import type { EndorsementFile } from "@holdfast/evidence";
import type { Question } from "./sources.ts";

/** What came of it: files, or a failure and how long the source asks to be left alone. */
export type Answer =
  | { readonly kind: "files"; readonly files: readonly EndorsementFile[] }
  | { readonly kind: "failed"; readonly fault: string }
  | { readonly kind: "limited"; readonly fault: string; readonly retryAfterSeconds: number };

const LONGEST = 2 * 1024 * 1024;
const LONGEST_ISSUERS = 64 * 1024;
const TIMEOUT_MS = 10_000;
const RETRY_SECONDS = { least: 10, most: 3600 };

/** Asks a source. Never throws for what the source or the network does. */
export async function ask(
  source: HttpTransport,
  question: Question,
  closing: AbortSignal,
): Promise<Answer> {
  const { path, query } = question;
  const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const { status, headers, body } = await source.request({ method: "GET", path, query, signal });
    const bytes = await readBody(body, LONGEST);
    if (status === 429) {
      const retryAfterSeconds = secondsOf(headers["retry-after"]);
      return { kind: "limited", fault: "status 429", retryAfterSeconds };
    }
    if (status !== 200) return { kind: "failed", fault: `status ${status}` };
    if (bytes === undefined) return { kind: "failed", fault: `over ${LONGEST} bytes` };
    const issuers = question.issuers.map((name) => headers[name]).find(Boolean);
    return {
      kind: "files",
      files: [
        { name: path, bytes },
        ...(issuers === undefined ? [] : [{ name: "issuers", bytes: pemOf(issuers) }]),
      ],
    };
  } catch (thrown) {
    if (signal.aborted)
      return { kind: "failed", fault: `no answer in ${TIMEOUT_MS} ms, or the service ended` };
    if (!(thrown instanceof HoldfastError || thrown instanceof URIError)) throw thrown;
    return { kind: "failed", fault: messageOf(thrown) };
  }
}

function pemOf(header: string): Uint8Array {
  if (header.length > LONGEST_ISSUERS)
    throw new URIError("the header with the issuers is too long");
  return new TextEncoder().encode(decodeURIComponent(header));
}

/** A number of seconds; a date, or nothing, is the least. */
function secondsOf(header: string | undefined): number {
  const seconds = Number(header ?? "0");
  const { least, most } = RETRY_SECONDS;
  return Number.isFinite(seconds) ? Math.min(most, Math.max(least, seconds)) : least;
}
