// The keep's door: HTTP/1.1 over attested TLS 1.3 (RFC 9112). Every connection is one identity of the policy.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type KeepCredentials, keepServerOptions } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import type { Policy } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Exchange, Route } from "./exchange.ts";
import { type PeerLimits, Peers } from "./peers.ts";
import { codeOf, INTERNAL_PROBLEM, isRefusal, problemOf } from "./problem.ts";
import { bodyOf, type Pace } from "./request-body.ts";
import { findRoute } from "./router.ts";
import { leaveUnread, writeAnswer } from "./write-answer.ts";

/** What a door needs. */
export interface DoorDeps {
  readonly policy: Policy;
  readonly credentials: KeepCredentials;
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly log: Log;
  readonly peerLimits?: PeerLimits;
  readonly pace?: Pace;
}

/** A door; nobody can reach it before it is opened. */
export interface Door {
  /** Begins to listen; answers where. */
  open(listen: Address): Promise<Address>;
  /** Takes a connection that came another way than over the network. */
  take(connection: Duplex): void;
  /** Presents another certificate to connections from now on. */
  renew(credentials: KeepCredentials): void;
  /** Looks at every connection again. */
  sweep(): void;
  close(): Promise<void>;
}

/** Where a door listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const MAXIMUM_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 75_000;
const SWEEP_MS = 1000;
/** How much is still read of a body that was refused. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 2000;

/** Makes a door. */
export function newDoor(deps: DoorDeps): Door {
  const peers = new Peers({
    policy: deps.policy,
    clock: deps.clock,
    log: deps.log,
    ...(deps.peerLimits === undefined ? {} : { limits: deps.peerLimits }),
  });
  const server = createServer({
    ...keepServerOptions(deps.policy, deps.credentials),
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Large uploads take long: bodies have a pace instead of an end.
    requestTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: SWEEP_MS,
    noDelay: true,
  });
  server.maxHeadersCount = 64;
  server.on("connection", (socket) => peers.arrive(socket));
  server.on("secureConnection", (socket) => peers.admit(socket));
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("clientError", (_error, socket) => socket.destroy());
  server.on("request", (request, response) => {
    answerRequest(deps, peers, request, response).catch((thrown: unknown) => {
      deps.log.error("answer-failed", { code: codeOf(thrown) });
      response.destroy();
    });
  });
  const sweeper = setInterval(() => peers.sweep(), SWEEP_MS);
  sweeper.unref();
  return {
    async open(listen) {
      await listening(server, listen);
      return addressOf(server);
    },
    // As Node says: who has a connection may tell the server of it.
    take: (connection) => void server.emit("connection", connection),
    renew: (credentials) => server.setSecureContext(keepServerOptions(deps.policy, credentials)),
    sweep: () => peers.sweep(),
    close: () =>
      new Promise((resolve) => {
        clearInterval(sweeper);
        server.close(() => resolve());
        peers.close();
      }),
  };
}

async function answerRequest(
  deps: DoorDeps,
  peers: Peers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A broken connection shows where its effect is handled.
  request.on("error", () => undefined);
  response.on("error", () => undefined);
  const caller = peers.callerOn(request.socket as TLSSocket);
  if (caller === undefined) {
    request.socket.destroy();
    return;
  }
  const lost = new AbortController();
  response.once("close", () => lost.abort());
  const answer = await answerTo(deps, () => {
    const target = targetOf(request);
    const { route, parameters } = findRoute(deps.routes, request.method ?? "", target.path);
    const exchange: Exchange = {
      method: request.method ?? "",
      caller,
      parameters,
      query: target.query,
      headers: onceEach(request),
      body: bodyOf(request, deps.pace),
      signal: lost.signal,
    };
    return route.handle(exchange);
  });
  if (response.destroyed) {
    // Whoever asked is gone; what the answer was to bring about comes about all the same.
    await leaveUnread(answer);
    answer.after?.();
    return;
  }
  const lingering = isHalfRead(request) ? lingerOver(request) : undefined;
  await writeAnswer(response, answer, request.method !== "HEAD", lingering);
}

async function answerTo(
  deps: DoorDeps,
  handle: () => ReturnType<Route["handle"]>,
): Promise<Awaited<ReturnType<Route["handle"]>>> {
  try {
    return await handle();
  } catch (thrown) {
    try {
      const answer = problemOf(thrown);
      if (!isRefusal(thrown)) deps.log.warn("request-failed", { code: codeOf(thrown) });
      return answer;
    } catch {
      deps.log.error("request-failed", { code: codeOf(thrown) });
      return INTERNAL_PROBLEM;
    }
  }
}

function targetOf(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const target = request.url ?? "";
  if (!target.startsWith("/")) {
    throw new KeepError("REQUEST_INVALID", "the request target must be a path");
  }
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  if (query.includes("%") && !isWellEncoded(query)) {
    throw new KeepError("REQUEST_INVALID", "the query is not properly encoded");
  }
  return { path, query: new URLSearchParams(query) };
}

/** URLSearchParams turns broken UTF-8 into replacement characters; two texts would become one path. */
function isWellEncoded(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

/** Headers that decide something must not stand twice. */
function onceEach(request: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined && values.length > 1) {
      throw new KeepError("REQUEST_INVALID", `header ${name} stands twice`);
    }
    headers[name] = values?.[0];
  }
  return headers;
}

/** Whether a body was announced and did not come to its end. */
function isHalfRead({ complete, headers }: IncomingMessage): boolean {
  const announced =
    headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return announced && !complete;
}

/** Reads on for a while, so that the sender sees the refusal instead of a reset. */
function lingerOver(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const settle = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(settle, LINGER_MS);
    request.once("close", settle).once("end", settle);
    request.on("data", (part: Uint8Array) => {
      bytes += part.length;
      if (bytes > LINGER_BYTES) settle();
    });
    request.resume();
  });
}

function listening(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function addressOf(server: Server): Address {
  const address = server.address();
  return typeof address === "object" && address !== null
    ? { host: address.address, port: address.port }
    : { host: "", port: 0 };
}
