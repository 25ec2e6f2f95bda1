// Where services are: the ports of one machine unless told otherwise, and how addresses are written.

/** Default ports, all on 127.0.0.1. Keeps are given ports from `keeps` upward. */
export const DEFAULT_PORTS = {
  attestation: 3010,
  keeps: 3014,
  vaas: 5000,
  ccfaas: 5010,
  s3: 5020,
} as const;

/** A service's base URL; a path is kept, a query or credentials are refused. */
export function parseServiceUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const known = url.protocol === "http:" || url.protocol === "https:";
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return known && plain ? text.replace(/\/+$/, "") : undefined;
}

/** What such an address is, in words. */
export const SERVICE_URL_WORDS = "http://HOST:PORT or https://HOST:PORT";
