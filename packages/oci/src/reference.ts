// What a source means: an https URL, or a repository of an OCI registry, in which the file is a blob under its digest (OCI
// distribution specification, pulling blobs).
import { SourceError } from "./errors.ts";

const OCI = /^oci:\/\/([^/]+)\/(.+)$/;
const REPOSITORY = /^[a-z0-9]+([._/-][a-z0-9]+)*$/;
/** Registries on one's own machine speak no TLS. */
const LOCAL = /^(localhost|127\.0\.0\.1)(:|$)/;

/** Two dots beside an encoded slash: a parser of URLs leaves them, a server may go up by them. */
const HIDDEN_DOTS = /(?:\/|%2f|%5c)(?:\.|%2e){2}(?:\/|%2f|%5c|$)/i;

/** Whether a source is a repository of a registry. */
export function isRepository(source: string): boolean {
  return OCI.test(source);
}

/**
 * The URL to ask for a file.
 * @param source `https://...`, or `oci://REGISTRY/REPOSITORY`
 * @param sha256 the digest of the file, lower-case hexadecimal: its name in a registry
 * @throws SourceError SOURCE_INVALID
 */
export function urlOf(source: string, sha256: string): URL {
  const url = URL.parse(textOf(source, sha256));
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === null || !isWeb || url.username !== "" || url.password !== "") {
    throw invalid("an https URL without credentials, or oci://REGISTRY/REPOSITORY is expected");
  }
  return url;
}

/**
 * Whether a URL is at or below a beginning. One ends where a name of its path ends: https://a/b allows https://a/b/c, and
 * not https://a/bc.
 */
export function isWithin(url: URL, beginning: string): boolean {
  const allowed = URL.parse(beginning);
  if (allowed === null || url.origin !== allowed.origin) return false;
  if (HIDDEN_DOTS.test(url.pathname)) return false;
  const path = allowed.pathname.replace(/\/+$/, "");
  return url.pathname === path || url.pathname.startsWith(`${path}/`);
}

function textOf(source: string, sha256: string): string {
  const [, registry, repository = ""] = OCI.exec(source) ?? [];
  if (registry === undefined) return source;
  if (!REPOSITORY.test(repository)) {
    throw invalid("a repository of a registry is lower-case letters, digits and separators");
  }
  const scheme = LOCAL.test(registry) ? "http" : "https";
  return `${scheme}://${registry}/v2/${repository}/blobs/sha256:${sha256}`;
}

function invalid(message: string): SourceError {
  return new SourceError("SOURCE_INVALID", message);
}
