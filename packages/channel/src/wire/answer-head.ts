// The head of a keep's answer (RFC 9112), read strictly: the end of an answer must never be a matter of opinion.
import { ChannelError } from "../errors.ts";

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** By lower-case name; several of a name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of its body; undefined when they come in chunks. */
  readonly length: number | undefined;
  /** Whether another request may follow on the connection. */
  readonly keepsOpen: boolean;
}

const MAXIMUM_FIELDS = 64;
const STATUS_LINE = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e]*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9a-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/i;
const LENGTH = /^\d{1,15}$/;

/**
 * Reads a head.
 * @param text its lines, without the empty one
 * @param method of the request: an answer to HEAD has no body
 * @throws ChannelError CHANNEL_CLOSED when it is not one, or says in two ways how long its body is
 */
export function parseAnswerHead(text: string, method: string): AnswerHead {
  const [first = "", ...fields] = text.split("\r\n");
  const status = Number(STATUS_LINE.exec(first)?.[1]);
  if (Number.isNaN(status)) throw malformed("its first line");
  if (fields.length > MAXIMUM_FIELDS) throw malformed("too many fields");
  const headers = readFields(fields);
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  return {
    status,
    headers,
    length: hasBody ? lengthOf(headers) : 0,
    keepsOpen: headers["connection"]?.toLowerCase() !== "close",
  };
}

/** What a keep sent is not HTTP/1.1 as it should be. */
export function malformed(what: string): ChannelError {
  return new ChannelError("CHANNEL_CLOSED", `the keep's answer can't be read: ${what}`);
}

function readFields(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const field of fields) {
    const [, name, value] = FIELD.exec(field) ?? [];
    if (name === undefined || value === undefined) throw malformed("a field");
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value.trim() : `${headers[key]}, ${value.trim()}`;
  }
  return headers;
}

function lengthOf(headers: Readonly<Record<string, string>>): number | undefined {
  const { "content-length": length, "transfer-encoding": encoding } = headers;
  if (encoding === undefined) {
    // Without a length it would end with the connection, and a connection can be cut.
    if (length === undefined || !LENGTH.test(length)) throw malformed("its length");
    return Number(length);
  }
  if (length !== undefined || encoding.toLowerCase() !== "chunked") {
    throw malformed("transfer-encoding");
  }
  return undefined;
}
