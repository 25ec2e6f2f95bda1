// One HTTP exchange as a port, so that typed clients know nothing of sockets and certificates.

/** What a client asks. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute path without query: `/v1/files`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** What a server answers. The body must be read to its end or cancelled by returning from the iteration. */
export interface HttpResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Carries exchanges to one peer. */
export interface HttpTransport {
  request(request: HttpRequest): Promise<HttpResponse>;
}

/**
 * The whole body, refused when longer than `maximum` bytes.
 * @returns undefined when it is too long
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  maximum: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > maximum) return undefined;
    parts.push(part);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
