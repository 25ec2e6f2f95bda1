// What the typed clients share: exchanges with one service, answers of an expected shape, refusals as errors.
import { fromText, type HttpRequest, type HttpTransport, readBody, toText } from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { parseProblem, problem } from "./problem.ts";

/** Options of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Options of a call that makes something: repeated with the same key it makes it once. */
export interface CreateOptions extends CallOptions {
  readonly idempotencyKey?: string;
}

const PAGE = 1000;
const MAXIMUM_ANSWER = 16 * 1024 * 1024;

/** Exchanges with one service. Throws ServiceRefusal when it refuses. */
export class Caller {
  readonly #service: string;
  readonly #transport: HttpTransport;

  constructor(service: string, transport: HttpTransport) {
    this.#service = service;
    this.#transport = transport;
  }

  async json<T extends TSchema>(schema: T, request: HttpRequest): Promise<Static<T>> {
    const text = await this.text(request);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.#badAnswer(request, "is not JSON", cause);
    }
    if (!Value.Check(schema, value))
      throw this.#badAnswer(request, "has another shape than expected");
    return value;
  }

  async text(request: HttpRequest): Promise<string> {
    const { status, headers, body } = await this.#transport.request(request);
    const bytes = await readBody(body, MAXIMUM_ANSWER);
    if (bytes === undefined) throw this.#badAnswer(request, `is over ${MAXIMUM_ANSWER} bytes`);
    if (status >= 200 && status < 300) return toText(bytes);
    const text = new TextDecoder().decode(bytes);
    const said = `answered ${status} to ${request.method} ${request.path}`;
    throw new ServiceRefusal(
      this.#service,
      parseProblem(text) ?? problem(status, "SERVICE_ANSWER", `${this.#service} ${said}`),
      secondsOf(headers["retry-after"]),
    );
  }

  #badAnswer(request: HttpRequest, fault: string, cause?: unknown): ServiceError {
    const message = `the answer of ${this.#service} to ${request.path} ${fault}`;
    return new ServiceError("SERVICE_ANSWER", message, cause === undefined ? {} : { cause });
  }
}

/** All pages of a list, one after the other. */
export async function allPages<T>(
  read: (query: Record<string, string>) => Promise<{ items: T[]; next: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let query: Record<string, string> = { limit: String(PAGE) };
  for (;;) {
    const { items, next } = await read(query);
    all.push(...items);
    if (next === undefined) return all;
    query = { limit: String(PAGE), after: next };
  }
}

/** Retry-After (RFC 9110 section 10.2.3) as a number, which is how our services say it; undefined for anything else. */
function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** A request with a JSON body. */
export function jsonRequest(
  method: string,
  path: string,
  value: unknown,
  headers: Record<string, string> = {},
): HttpRequest {
  return {
    method,
    path,
    headers: { "content-type": "application/json", ...headers },
    body: fromText(JSON.stringify(value)),
  };
}

/** A name as one segment of a path. */
export function encode(segment: string): string {
  return encodeURIComponent(segment);
}
