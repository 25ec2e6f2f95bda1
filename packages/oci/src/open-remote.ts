// Opens a remote file: the way to it, then its bytes as they come, no faster than they are taken.
import type { IncomingMessage } from "node:http";
import { messageOf } from "@holdfast/core";
import { anonymousToken } from "./anonymous-token.ts";
import { ask, failed } from "./ask.ts";
import { isRepository, urlOf } from "./reference.ts";
import { withinSilence } from "./within-silence.ts";

/** Where remote files may come from. */
export interface RemoteConfig {
  /** Beginnings of URLs. */
  readonly allow: readonly string[];
  /** How long a source may be silent, in milliseconds. */
  readonly silenceMs?: number;
}

/** A file that is on its way. */
export interface RemoteFile {
  readonly length: number | undefined;
  /** Ends with the file; throws SourceError SOURCE_FAILED when it breaks off. */
  readonly bytes: AsyncGenerator<Uint8Array>;
  /** Lets go of it, wherever it stands. */
  close(): void;
}

const SILENCE_MS = 60_000;

/**
 * Opens a remote file. Nothing of it is checked here: that is for who knows its digest.
 * @param source `https://...`, or `oci://REGISTRY/REPOSITORY`
 * @param sha256 the digest the file will be checked against; names it in a registry
 * @throws SourceError SOURCE_INVALID, SOURCE_NOT_ALLOWED, SOURCE_FAILED
 */
export async function openRemote(
  { allow, silenceMs = SILENCE_MS }: RemoteConfig,
  source: string,
  sha256: string,
  signal: AbortSignal,
): Promise<RemoteFile> {
  const url = urlOf(source, sha256);
  const asking = { allow, silenceMs, signal };
  let answer = await ask(url, asking);
  if (answer.statusCode === 401 && isRepository(source)) {
    answer.destroy();
    const token = await anonymousToken(answer.headers["www-authenticate"] ?? "", asking);
    answer = await ask(url, { ...asking, headers: { authorization: `Bearer ${token}` } });
  }
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw failed(`${url.origin} answered ${answer.statusCode}`);
  }
  const length = answer.headers["content-length"];
  return {
    length: length === undefined ? undefined : Number(length),
    bytes: partsOf(answer, url.origin, silenceMs),
    close: () => void answer.destroy(),
  };
}

async function* partsOf(
  answer: IncomingMessage,
  origin: string,
  silenceMs: number,
): AsyncGenerator<Uint8Array> {
  const parts: AsyncIterator<Uint8Array> = answer[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await withinSilence(parts.next(), silenceMs);
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw failed(`${origin} broke off: ${messageOf(cause)}`, cause);
  } finally {
    answer.destroy();
  }
}
