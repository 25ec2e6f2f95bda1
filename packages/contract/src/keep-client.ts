// The typed client of a keep's door, over any transport that carries exchanges to it.
import { fromText, type HttpTransport, toBase64, toText } from "@holdfast/core";
import { counted, type OnProgress } from "./counted.ts";
import {
  KeepConsent,
  KeepEvidence,
  KeepStatus,
  Listing,
  Run,
  RunList,
  StoredFile,
} from "./keep.ts";
import { KeepCalls } from "./keep-calls.ts";
import { type ResumableSource, type ResumeOptions, uploadResumably } from "./keep-upload.ts";

/** Options of an upload. */
export interface PutOptions {
  /** Length in bytes, when known: lets the keep refuse early. */
  readonly size?: number;
  /** Raw SHA-256 the keep must find (Content-Digest, RFC 9530). */
  readonly sha256?: Uint8Array;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

const WAIT_SECONDS = 20;

/** Speaks with one keep. Every method throws ServiceRefusal when the keep refuses. */
export class KeepClient {
  readonly #calls: KeepCalls;

  constructor(transport: HttpTransport) {
    this.#calls = new KeepCalls(transport);
  }

  /** What the keep says of itself. */
  status(): Promise<KeepStatus> {
    return this.#calls.json(KeepStatus, { method: "GET", path: "/v1/status" });
  }

  /** The exact text of the policy it runs. */
  async policy(): Promise<string> {
    return toText(await this.#calls.bytes({ method: "GET", path: "/v1/policy" }));
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

  /** Writes or appends to a file in a way that survives lost connections; nothing is seen before it is complete. */
  uploadFile(path: string, source: ResumableSource, options: ResumeOptions): Promise<StoredFile> {
    return uploadResumably(this.#calls, path, source, options);
  }

  /** A file's bytes as they arrive; `size` is its length when the keep says it. */
  async readFile(
    path: string,
    options: { range?: string; signal?: AbortSignal } = {},
  ): Promise<{ size: number | undefined; body: AsyncIterable<Uint8Array> }> {
    const { range, signal } = options;
    const response = await this.#calls.accepted({
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
    return this.#calls.json(Listing, { method: "GET", path: "/v1/list", query: { path } });
  }

  /** Starts a program of the policy. */
  startRun(program: string): Promise<Run> {
    const body = fromText(JSON.stringify({ program }));
    return this.#calls.json(Run, {
      method: "POST",
      path: "/v1/runs",
      headers: { "content-type": "application/json" },
      body,
    });
  }

  /** Waits until a run has ended. */
  async waitRun(id: string, options: { signal?: AbortSignal } = {}): Promise<Run> {
    for (;;) {
      const run = await this.#calls.json(Run, {
        method: "GET",
        path: `/v1/runs/${encodeURIComponent(id)}`,
        query: { wait: String(WAIT_SECONDS) },
        ...options,
      });
      if (run.state !== "running") return run;
    }
  }

  /** Runs that this identity may see, the newest first. */
  async runs(): Promise<RunList["runs"]> {
    return (await this.#calls.json(RunList, { method: "GET", path: "/v1/runs" })).runs;
  }

  /** A run's output from its start; with `follow` until the run ends. */
  async runStream(
    id: string,
    stream: "stdout" | "stderr",
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const first = await this.#output(id, stream, 0, options);
    return options.follow ? this.#follow(id, stream, first, options) : first;
  }

  /** Ends a run. */
  cancelRun(id: string): Promise<Run> {
    return this.#calls.json(Run, { method: "DELETE", path: `/v1/runs/${encodeURIComponent(id)}` });
  }

  /** The signed receipt of a run that ended, as the keep wrote it. */
  async receipt(id: string): Promise<string> {
    return toText(
      await this.#calls.bytes({
        method: "GET",
        path: `/v1/runs/${encodeURIComponent(id)}/receipt`,
      }),
    );
  }

  /** Evidence made now, over the caller's nonce. */
  evidence(nonceHex: string): Promise<KeepEvidence> {
    return this.#calls.json(KeepEvidence, {
      method: "GET",
      path: "/v1/evidence",
      query: { nonce: nonceHex },
    });
  }

  /** Ends the keep; everything in it is gone. */
  async shutdown(): Promise<void> {
    await this.#calls.bytes({ method: "POST", path: "/v1/shutdown" });
  }

  /** Who must consent before the keep takes data, and who has. */
  consent(): Promise<KeepConsent> {
    return this.#calls.json(KeepConsent, { method: "GET", path: "/v1/consent" });
  }

  /** Consents to the policy, with a signature over its hash (`signConsent` of the channel). */
  giveConsent(signature: Uint8Array): Promise<KeepConsent> {
    return this.#calls.json(KeepConsent, {
      method: "POST",
      path: "/v1/consent",
      headers: { "content-type": "application/json" },
      body: fromText(JSON.stringify({ signature: toBase64(signature) })),
    });
  }

  async #output(
    id: string,
    stream: string,
    from: number,
    { follow, signal }: { follow?: boolean; signal?: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#calls.accepted({
      method: "GET",
      path: `/v1/runs/${encodeURIComponent(id)}/${stream}`,
      query: { from: String(from), ...(follow ? { follow: "1" } : {}) },
      ...(signal === undefined ? {} : { signal }),
    });
    return response.body;
  }

  /** A keep ends a followed stream that is quiet: as long as the run goes on, ask again from where it stopped. */
  async *#follow(
    id: string,
    stream: string,
    first: AsyncIterable<Uint8Array>,
    options: { signal?: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    let at = 0;
    let part = first;
    let isLast = false;
    for (;;) {
      for await (const bytes of part) {
        at += bytes.length;
        yield bytes;
      }
      if (isLast) return;
      const run = await this.#calls.json(Run, {
        method: "GET",
        path: `/v1/runs/${encodeURIComponent(id)}`,
        ...options,
      });
      // What came between the two answers is still to be had.
      isLast = run.state !== "running";
      part = await this.#output(id, stream, at, { ...options, follow: !isLast });
    }
  }

  #upload(
    method: "PUT" | "POST",
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    { size, sha256, onProgress, signal }: PutOptions,
  ): Promise<StoredFile> {
    const length = source instanceof Uint8Array ? source.length : size;
    return this.#calls.json(StoredFile, {
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
}
