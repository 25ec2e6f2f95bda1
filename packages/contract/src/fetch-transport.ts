// Carries exchanges to a service over plain HTTP with the platform's own fetch, in Node and in browsers.
import { type HttpRequest, type HttpResponse, type HttpTransport, messageOf } from "@holdfast/core";
import { ServiceError } from "./errors.ts";

/** What TLS calls a certificate that does not hold: OpenSSL's names of verification faults, and Node's own. */
const CERTIFICATE_FAULT =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH)/;

type Fetch = (url: string, init: RequestInit & { duplex?: "half" }) => Promise<Response>;

/**
 * A transport to one service.
 * @param baseUrl such as `http://127.0.0.1:5010`; a slash at the end does not matter
 * @param options.headers that go with every request, such as an authorization
 * @param options.fetcher another fetch than the platform's, for authorities of one's own
 * @throws ServiceError from each exchange: SERVICE_UNREACHABLE when nobody answers, SERVICE_UNTRUSTED when who answers
 *   shows a certificate that does not hold
 */
export function fetchTransport(
  baseUrl: string,
  options: { headers?: Readonly<Record<string, string>>; fetcher?: Fetch } = {},
): HttpTransport {
  const { headers = {}, fetcher = fetch } = options;
  const base = baseUrl.replace(/\/+$/, "");
  return {
    async request(request) {
      const query = new URLSearchParams(request.query).toString();
      const url = `${base}${request.path}${query === "" ? "" : `?${query}`}`;
      try {
        return answerOf(await fetcher(url, initOf(request, headers)));
      } catch (cause) {
        if (request.signal?.aborted) throw cause;
        throw notReached(base, cause);
      }
    },
  };
}

function notReached(base: string, cause: unknown): ServiceError {
  const fault = (cause as { cause?: unknown }).cause ?? cause;
  return CERTIFICATE_FAULT.test(String((fault as { code?: unknown }).code))
    ? new ServiceError("SERVICE_UNTRUSTED", `${base} is not trusted: ${messageOf(fault)}`, {
        cause,
      })
    : new ServiceError("SERVICE_UNREACHABLE", `no answer from ${base}: ${messageOf(fault)}`, {
        cause,
      });
}

function initOf(
  { method, headers, body, signal }: HttpRequest,
  always: Readonly<Record<string, string>>,
): RequestInit & { duplex?: "half" } {
  return {
    method,
    redirect: "error",
    headers: streamable({ ...always, ...headers }, body),
    ...(body === undefined ? {} : bodyOf(body)),
    ...(signal === undefined ? {} : { signal }),
  };
}

function bodyOf(body: NonNullable<HttpRequest["body"]>): RequestInit & { duplex?: "half" } {
  if (body instanceof Uint8Array) return { body: body.slice() };
  return { body: ReadableStream.from(body) as ReadableStream<Uint8Array>, duplex: "half" };
}

/** fetch sets the length itself and refuses one of ours beside a stream. */
function streamable(
  headers: Readonly<Record<string, string>>,
  body: HttpRequest["body"],
): Record<string, string> {
  const entries = Object.entries(headers);
  return Object.fromEntries(
    body === undefined || body instanceof Uint8Array
      ? entries
      : entries.filter(([name]) => name.toLowerCase() !== "content-length"),
  );
}

function answerOf(response: Response): HttpResponse {
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: readStream(response),
  };
}

async function* readStream(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const part of response.body) yield part;
  } catch (cause) {
    throw new ServiceError("SERVICE_UNREACHABLE", `the answer broke off: ${messageOf(cause)}`, {
      cause,
    });
  }
}
