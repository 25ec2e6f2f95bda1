// Where the services are: the ports of one machine unless told otherwise.
import { BridgeClient, CcfaasClient, fetchTransport, VaasClient } from "@holdfast/contract";
import { Option } from "commander";
import { parsed } from "../command.ts";

/** Default ports, all on 127.0.0.1. Keeps are given ports from `keeps` upward. */
export const DEFAULT_PORTS = {
  attestation: 3010,
  keeps: 3014,
  vaas: 5000,
  ccfaas: 5010,
  s3: 5020,
} as const;

/** `--url` of CCFaaS. */
export function ccfaasOption(): Option {
  return new Option("--url <url>", "address of CCFaaS")
    .default(`http://127.0.0.1:${DEFAULT_PORTS.ccfaas}`)
    .argParser(parsed(parseServiceUrl, "http://HOST:PORT"));
}

/** A service's base URL; a path is kept, a query or credentials are refused. */
export function parseServiceUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const known = url.protocol === "http:" || url.protocol === "https:";
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return known && plain ? text.replace(/\/+$/, "") : undefined;
}

/** Client of CCFaaS at an address. */
export function ccfaasAt(url: string): CcfaasClient {
  return new CcfaasClient(fetchTransport(url));
}

/** Client of VaaS at an address. */
export function vaasAt(url: string): VaasClient {
  return new VaasClient(fetchTransport(url));
}

/** Client of the S3 bridge at an address. */
export function bridgeAt(url: string): BridgeClient {
  return new BridgeClient(fetchTransport(url));
}
