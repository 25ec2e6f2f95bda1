// The typed client of a keep's door, over any transport that carries exchanges to it.
import {
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  readBody,
  toBase64,
  toText,
} from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { counted, type OnProgress } from "./counted.ts";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { KeepEvidence, KeepStatus, Listing, Run, StoredFile } from "./keep.ts";
import { parseProblem, problem } from "./problem.ts";

/** Options of an upload. */
export interface PutOptions {
  /** Length in bytes, when known: lets the keep refuse early. */
  readonly size?: number;
  /** Raw SHA-256 the keep must find (Content-Digest, RFC 9530). */
  readonly sha256?: Uint8Array;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

const MAXIMUM_ANSWER = 8 * 1024 * 1024;
const WAIT_SECONDS = 20;

/** Speaks with one keep. Every method throws ServiceRefusal when the keep refuses. */
export class KeepClient {
  readonly #transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.#transport = transport;
  }

  /** What the keep says of itself. */
  status(): Promise<KeepStatus> {
    return this.#json(KeepStatus, { method: "GET", path: "/v1/status" });
  }

  /** The exact text of the policy it runs. */
  async policy(): Promise<string> {
    return toText(await this.#bytes({ method: "GET", path: "/v1/policy" }));
  }

  /** Writes a whole file; nothing of it is seen before it is complete. */
  putFile(
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredFile> {
    return this.#upload("PUT", path, source, options);
  }

  /** Adds to the end of a file. */
  appendFile(
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredFile> {
    return this.#upload("POST", path, source, options);
  }

  /** A file's bytes as they arrive; `size` is its length when the keep says it. */
  async readFile(
    path: string,
    options: { range?: string; signal?: AbortSignal } = {},
  ): Promise<{ size: number | undefined; body: AsyncIterable<Uint8Array> }> {
    const { range, signal } = options;
    const response = await this.#accepted({
      method: "GET",
      path: "/v1/files",
      query: { path },
      ...(range === undefined ? {} : { headers: { range } }),
      ...(signal === undefined ? {} : { signal }),
    });
    const length = response.headers["content-length"];
    return { size: length === undefined ? undefined : Number(length), body: response.body };
  }

  /** Entries of a directory. */
  list(path: string): Promise<Listing> {
    return this.#json(Listing, { method: "GET", path: "/v1/list", query: { path } });
  }

  /** Starts a program of the policy. */
  startRun(program: string): Promise<Run> {
    const body = new TextEncoder().encode(JSON.stringify({ program }));
    return this.#json(Run, {
      method: "POST",
      path: "/v1/runs",
      headers: { "content-type": "application/json" },
      body,
    });
  }

  /** Waits until a run has ended. */
  async waitRun(id: string, options: { signal?: AbortSignal } = {}): Promise<Run> {
    for (;;) {
      const run = await this.#json(Run, {
        method: "GET",
        path: `/v1/runs/${encodeURIComponent(id)}`,
        query: { wait: String(WAIT_SECONDS) },
        ...options,
      });
      if (run.state !== "running") return run;
    }
  }

  /** A run's output from its start; with `follow` until the run ends. */
  async runStream(
    id: string,
    stream: "stdout" | "stderr",
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const { follow, signal } = options;
    const response = await this.#accepted({
      method: "GET",
      path: `/v1/runs/${encodeURIComponent(id)}/${stream}`,
      ...(follow ? { query: { follow: "1" } } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    return response.body;
  }

  /** Ends a run. */
  cancelRun(id: string): Promise<Run> {
    return this.#json(Run, { method: "DELETE", path: `/v1/runs/${encodeURIComponent(id)}` });
  }

  /** The signed receipt of a run that ended, as the keep wrote it. */
  async receipt(id: string): Promise<string> {
    return toText(
      await this.#bytes({ method: "GET", path: `/v1/runs/${encodeURIComponent(id)}/receipt` }),
    );
  }

  /** Evidence made now, over the caller's nonce. */
  evidence(nonceHex: string): Promise<KeepEvidence> {
    return this.#json(KeepEvidence, {
      method: "GET",
      path: "/v1/evidence",
      query: { nonce: nonceHex },
    });
  }

  /** Ends the keep; everything in it is gone. */
  async shutdown(): Promise<void> {
    await this.#bytes({ method: "POST", path: "/v1/shutdown" });
  }

  #upload(
    method: "PUT" | "POST",
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    { size, sha256, onProgress, signal }: PutOptions,
  ): Promise<StoredFile> {
    const length = source instanceof Uint8Array ? source.length : size;
    return this.#json(StoredFile, {
      method,
      path: "/v1/files",
      query: { path },
      headers: {
        "content-type": "application/octet-stream",
        ...(length === undefined ? {} : { "content-length": String(length) }),
        ...(sha256 === undefined ? {} : { "content-digest": `sha-256=:${toBase64(sha256)}:` }),
      },
      body:
        onProgress === undefined || source instanceof Uint8Array
          ? source
          : counted(source, onProgress),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #json<T extends TSchema>(schema: T, request: HttpRequest): Promise<Static<T>> {
    const text = toText(await this.#bytes(request));
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new ServiceError("SERVICE_ANSWER", `the keep's answer to ${request.path} is not JSON`, {
        cause,
      });
    }
    if (!Value.Check(schema, value)) {
      throw new ServiceError(
        "SERVICE_ANSWER",
        `the keep's answer to ${request.path} has another shape than expected`,
      );
    }
    return value;
  }

  async #bytes(request: HttpRequest): Promise<Uint8Array> {
    const { body } = await this.#accepted(request);
    const bytes = await readBody(body, MAXIMUM_ANSWER);
    if (bytes !== undefined) return bytes;
    throw new ServiceError(
      "SERVICE_ANSWER",
      `the keep's answer to ${request.path} is over ${MAXIMUM_ANSWER} bytes`,
    );
  }

  async #accepted(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#transport.request(request);
    if (response.status >= 200 && response.status < 300) return response;
    const bytes = (await readBody(response.body, MAXIMUM_ANSWER)) ?? new Uint8Array();
    const text = new TextDecoder().decode(bytes);
    throw new ServiceRefusal(
      "keep",
      parseProblem(text) ??
        problem(
          response.status,
          "SERVICE_ANSWER",
          `the keep answered ${response.status} to ${request.method} ${request.path}`,
        ),
    );
  }
}
