// The head of a request (RFC 9112), written so that nothing a caller says can become another request.
import type { HttpRequest } from "@holdfast/core";

/** A request's first lines, and how its body is delimited. */
export interface RequestHead {
  readonly text: string;
  /** Bytes that must follow; undefined when they come in chunks. */
  readonly length: number | undefined;
}

const METHOD = /^[A-Z]{1,16}$/;
const TARGET = /^\/[\x21-\x7e]*$/;
const NAME = /^[a-z0-9-]{1,64}$/;
const VALUE = /^[\x20-\x7e]*$/;
const LENGTH = /^\d{1,15}$/;
/** Methods without a body by their nature (RFC 9110 section 8.6). */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);
/** Ours to say. */
const RESERVED: ReadonlySet<string> = new Set(["host", "connection", "transfer-encoding"]);

/**
 * Writes a head.
 * @throws TypeError when a part of the request can't be said in HTTP, or its body has another length than it says
 */
export function requestHead(request: HttpRequest, authority: string): RequestHead {
  const { method, path, body, headers = {} } = request;
  const query = new URLSearchParams(request.query).toString();
  const target = query === "" ? path : `${path}?${query}`;
  demand(METHOD.test(method), "the method is not one of HTTP");
  demand(TARGET.test(target), "the path can't be sent as it is");
  const length = lengthOf(request);
  const lines = [`${method} ${target} HTTP/1.1`, `host: ${authority}`];
  for (const [name, value] of Object.entries(headers)) {
    if (name === "content-length") continue;
    demand(NAME.test(name) && !RESERVED.has(name), `header ${name} can't be sent`);
    demand(VALUE.test(value), `the value of header ${name} can't be sent`);
    lines.push(`${name}: ${value}`);
  }
  if (length === undefined) lines.push("transfer-encoding: chunked");
  else if (body !== undefined || !BODILESS.has(method)) lines.push(`content-length: ${length}`);
  return { text: `${lines.join("\r\n")}\r\n\r\n`, length };
}

function lengthOf({ body, headers }: HttpRequest): number | undefined {
  const said = headers?.["content-length"];
  demand(said === undefined || LENGTH.test(said), "content-length is not a number");
  const known = body === undefined ? 0 : body instanceof Uint8Array ? body.length : undefined;
  const length = said === undefined ? known : Number(said);
  demand(known === undefined || known === length, "the body has another length than it says");
  return length;
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new TypeError(otherwise);
}
