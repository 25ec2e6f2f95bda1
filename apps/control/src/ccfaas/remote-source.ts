// Files that a function names by where they are: an https URL, or a repository of an OCI registry, in which the file is a
// blob under the definition's digest (OCI distribution specification, pulling blobs). Only places that the configuration
// allows are asked, redirects included: otherwise anyone who may register could have this machine ask its neighbours.
import { messageOf } from "@holdfast/core";
import { ControlError } from "../errors.ts";

/** Where remote files may come from. */
export interface RemoteConfig {
  /** Beginnings of URLs. */
  readonly allow: readonly string[];
}

/** A file that is on its way. */
export interface RemoteFile {
  readonly length: number | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

const REDIRECTS = 3;
const SILENCE_MS = 60_000;
const TOKEN_LIMIT = 64 * 1024;

/**
 * Opens a remote file.
 * @param reference `https://...`, or `oci://REGISTRY/REPOSITORY`
 * @param sha256 the digest the file will be checked against; names it in a registry
 * @throws ControlError SOURCE_INVALID, SOURCE_NOT_ALLOWED, SOURCE_FAILED
 */
export async function openRemote(
  config: RemoteConfig,
  reference: string,
  sha256: string,
  signal: AbortSignal,
): Promise<RemoteFile> {
  const url = urlOf(reference, sha256);
  let answer = await ask(config, url, signal);
  if (answer.status === 401 && reference.startsWith("oci://")) {
    const token = await anonymousToken(
      config,
      answer.headers.get("www-authenticate") ?? "",
      signal,
    );
    answer = await ask(config, url, signal, { authorization: `Bearer ${token}` });
  }
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw failed(`${url.origin} answered ${answer.status}`);
  }
  const length = answer.headers.get("content-length");
  return {
    length: length === null ? undefined : Number(length),
    bytes: partsOf(answer.body, url.origin),
  };
}

function urlOf(reference: string, sha256: string): URL {
  const [, registry, repository] = /^oci:\/\/([^/]+)\/(.+)$/.exec(reference) ?? [];
  if (registry !== undefined && !/^[a-z0-9]+([._/-][a-z0-9]+)*$/.test(repository ?? "")) {
    throw invalid("a repository of a registry is lower-case letters, digits and separators");
  }
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(registry ?? "") ? "http" : "https";
  const text =
    registry === undefined
      ? reference
      : `${scheme}://${registry}/v2/${repository}/blobs/sha256:${sha256}`;
  const url = URL.parse(text);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.password !== ""
  ) {
    throw invalid("an https URL without credentials, or oci://REGISTRY/REPOSITORY is expected");
  }
  return url;
}

async function ask(
  { allow }: RemoteConfig,
  first: URL,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Response> {
  let url = first;
  for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
    if (!allow.some((beginning) => isWithin(url, beginning))) {
      throw new ControlError(
        403,
        "SOURCE_NOT_ALLOWED",
        `the configuration does not allow files from ${url.origin}${url.pathname}`,
      );
    }
    // Credentials for one place are not for another.
    const own = url.origin === first.origin ? headers : {};
    const answer = await fetch(url, { headers: own, redirect: "manual", signal }).catch((cause) => {
      const { cause: inner } = cause as { cause?: unknown };
      throw failed(`${url.origin} does not answer: ${messageOf(inner ?? cause)}`);
    });
    const location = answer.headers.get("location");
    if (answer.status < 300 || answer.status > 399 || location === null) return answer;
    await answer.body?.cancel();
    url = URL.parse(location, url) ?? url;
  }
  throw failed(`${first.origin} redirects more than ${REDIRECTS} times`);
}

/** A beginning ends where a path's name ends: https://a/b allows https://a/b/c, and not https://a/bc. */
function isWithin(url: URL, beginning: string): boolean {
  const allowed = URL.parse(beginning);
  if (allowed === null || url.origin !== allowed.origin) return false;
  const path = allowed.pathname.replace(/\/+$/, "");
  return url.pathname === path || url.pathname.startsWith(`${path}/`);
}

/** What a registry gives to everybody who asks (Distribution token authentication). */
async function anonymousToken(
  config: RemoteConfig,
  challenge: string,
  signal: AbortSignal,
): Promise<string> {
  const field = (name: string): string | undefined =>
    new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1];
  const url = URL.parse(field("realm") ?? "");
  if (url === null || !challenge.startsWith("Bearer ")) {
    throw failed("the registry wants credentials of a kind that is not known");
  }
  for (const name of ["service", "scope"]) {
    const value = field(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const answer = await ask(config, url, signal);
  const said = (await answer.text()).slice(0, TOKEN_LIMIT);
  try {
    const { token, access_token: other } = JSON.parse(said) as Record<string, unknown>;
    const given = token ?? other;
    if (answer.ok && typeof given === "string") return given;
  } catch {
    // Said below.
  }
  throw failed(`${url.origin} gives no token`);
}

async function* partsOf(
  body: ReadableStream<Uint8Array>,
  origin: string,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read());
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw failed(`${origin} broke off: ${messageOf(cause)}`);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function withinSilence<T>(read: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${SILENCE_MS} ms`)), SILENCE_MS);
  });
  try {
    return await Promise.race([read, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function invalid(message: string): ControlError {
  return new ControlError(422, "SOURCE_INVALID", message);
}

function failed(message: string): ControlError {
  return new ControlError(502, "SOURCE_FAILED", `the file can't be fetched: ${message}`);
}
