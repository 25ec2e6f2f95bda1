// One request and its answer, as routes see them: values, so that a route knows nothing of sockets.
import type { PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";

/** A request of an identity. */
export interface Exchange {
  readonly method: string;
  readonly caller: PolicyIdentity;
  /** Parts of the path that the route leaves open. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Body;
  /** Aborted when the connection is lost. */
  readonly signal: AbortSignal;
}

/** A request's body, read at most once. */
export interface Body {
  /** Hands over each part as it arrives; ends when the body has ended, and rejects when it broke off or stalled. */
  drain(take: (part: Uint8Array) => void): Promise<void>;
  /** The whole of a small body; @throws KeepError REQUEST_TOO_LARGE */
  whole(maximum: number): Promise<Uint8Array>;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly stream?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Runs after the answer has left. */
  readonly after?: () => void;
}

/** A route: `:name` stands for one part of the path. */
export interface Route {
  readonly method: string;
  readonly path: string;
  handle(exchange: Exchange): Promise<Answer> | Answer;
}

/** An answer in JSON. */
export function json(value: unknown, status = 200): Answer {
  return { status, json: value };
}

/**
 * A member of the query that stands exactly once.
 * @throws KeepError REQUEST_INVALID
 */
export function oneOf(query: URLSearchParams, name: string): string {
  const value = optional(query, name);
  if (value !== undefined) return value;
  throw new KeepError("REQUEST_INVALID", `query member ${name} is missing`);
}

/** A member of the query that stands at most once. */
export function optional(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length <= 1) return values[0];
  // Two readers of one request must not see two requests.
  throw new KeepError("REQUEST_INVALID", `query member ${name} stands twice`);
}
