// A typed client of the S3 bridge, over any transport that carries exchanges to it.
import type { HttpTransport } from "@holdfast/core";
import { CopyResource, type S3StreamBody } from "./bridge.ts";
import { Caller, type CallOptions, encode, jsonRequest } from "./caller.ts";

/** Speaks with the S3 bridge. */
export class BridgeClient {
  readonly #caller: Caller;

  constructor(transport: HttpTransport) {
    this.#caller = new Caller("S3 bridge", transport);
  }

  /** Streams an object of S3 into a keep; answers the bridge's sentence once the keep has all of it. */
  copy(request: S3StreamBody, options: CallOptions = {}): Promise<string> {
    return this.#caller.text({
      ...jsonRequest("POST", "/s3_stream_veracruz", request),
      ...options,
    });
  }

  /** Starts a copy that goes on by itself. */
  startCopy(request: S3StreamBody, options: CallOptions = {}): Promise<CopyResource> {
    return this.#caller.json(CopyResource, {
      ...jsonRequest("POST", "/v1/copies", request),
      ...options,
    });
  }

  /** How far a copy is; with `wait`, in seconds, answered once it has ended. */
  getCopy(id: string, options: CallOptions & { wait?: number } = {}): Promise<CopyResource> {
    const { wait, signal } = options;
    return this.#caller.json(CopyResource, {
      method: "GET",
      path: `/v1/copies/${encode(id)}`,
      ...(wait === undefined ? {} : { query: { wait: String(wait) } }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Ends a copy; the keep has nothing of one that was not done. */
  async deleteCopy(id: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: `/v1/copies/${encode(id)}` });
  }
}
