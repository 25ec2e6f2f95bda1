// The HTTP server of a service, with bounds on what one that is slow, or many at once, can take from it. A body has the
// time that it needs, as long as it keeps coming: that is for whoever reads it.
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TlsOptions } from "node:tls";
import type { ServiceTls } from "./service-tls.ts";

/** What a server is made with. */
export interface ServiceServerOptions {
  /** Plain HTTP when absent. */
  readonly tls?: ServiceTls;
  /** Whether callers may show a certificate. Any is taken: who it belongs to is for the service to know. */
  readonly asksForCertificate?: boolean;
  /** The most connections at one time, 2048; more are refused. */
  readonly maxConnections?: number;
  /** How long a whole request may take to come in, in milliseconds; an hour, for large bodies over slow lines. */
  readonly requestTimeoutMs?: number;
  /** How long headers may take from the start of a connection, or the end of the request before, in milliseconds; 15 s. */
  readonly headersTimeoutMs?: number;
}

const HOUR_MS = 60 * 60 * 1000;
const HEADERS_MS = 15_000;
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  keepAliveTimeout: 30_000,
  // Node would refuse without a word of the service's: `lacksHost` is for it to ask.
  requireHostHeader: false,
};

/** Makes a server that does not listen yet. */
export function createServiceServer(
  listener: RequestListener,
  options: ServiceServerOptions = {},
): Server {
  const { tls, maxConnections = 2048, requestTimeoutMs = HOUR_MS } = options;
  const { headersTimeoutMs = HEADERS_MS } = options;
  const limits = {
    ...LIMITS,
    requestTimeout: requestTimeoutMs,
    headersTimeout: headersTimeoutMs,
    // How often connections are looked at.
    connectionsCheckingInterval: Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs) / 3),
  };
  const server =
    tls === undefined
      ? createServer(limits, listener)
      : createTlsServer({ ...limits, ...tlsOptions(tls, options) }, listener);
  server.maxConnections = maxConnections;
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1); Node would refuse it without a word.
  server.on("checkExpectation", listener);
  if (tls !== undefined) tls.follow(server as ReturnType<typeof createTlsServer>);
  return server;
}

/** Whether a request names no host where it must (RFC 9112, 3.2): a service answers it with 400. */
export function lacksHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion !== "1.0";
}

function tlsOptions(tls: ServiceTls, { asksForCertificate }: ServiceServerOptions): TlsOptions {
  return { ...tls.options, requestCert: asksForCertificate === true, rejectUnauthorized: false };
}
