// A keep for tests of this room: attested TLS and files over HTTP as the real one, but it runs no programs. Faults make
// it go wrong.
import { createHash, type Hash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { identityOfPeer, keepServerOptions } from "@holdfast/channel";
import { problem } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { mayWrite, type Policy, parsePolicy } from "@holdfast/policy";
import { certifyKeep } from "./authority.ts";

/** What may go wrong. */
export interface KeepFaults {
  /** Ends at once with this reason. */
  readonly fail?: string;
  /** Fails with this reason where it should wait for its policy. */
  readonly neverWait?: string;
  /** Ends without a word where it is told its policy, if it waited for it. */
  readonly vanishAtHandOver?: boolean;
  /** Ends without a word. */
  readonly vanish?: boolean;
  /** Stays in this state for ever. */
  readonly stayAt?: "starting" | "attested";
  /** Finds its port taken, if it is this one. */
  readonly portTaken?: number;
  /** Waits in `starting`. */
  readonly delayMs?: number;
  /** Presents another measurement. */
  readonly measurement?: string;
  /** Refuses to write files under this path. */
  readonly refusePath?: string;
  /** Holds back the answer to writes under this path until the fault is taken away. */
  readonly stallPath?: string;
  /** Waits before it ends when told to. */
  readonly endDelayMs?: number;
  /** How the inputs of its policy stand, in order; ready when absent. */
  readonly inputs?: readonly { state: string; received: number; reason?: string }[];
  /** Breaks the connection of each upload whenever this many more bytes have come. */
  readonly cutEvery?: number;
}

/** What a keep is made of. */
export interface SmallKeepOptions {
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly authorityDirectory: string;
  readonly measurement: string;
  readonly faults: () => KeepFaults;
  readonly tell: (state: string, reason?: string) => void;
}

/** A keep that is up, or stuck where its faults hold it. */
export interface SmallKeep {
  /** Stops serving. */
  close(): void;
}

/** Brings a keep up; undefined when it failed, which it told. */
export async function startSmallKeep(options: SmallKeepOptions): Promise<SmallKeep | undefined> {
  const { faults, tell } = options;
  tell("starting");
  const { fail, delayMs, stayAt } = faults();
  if (fail !== undefined) {
    tell("failed", fail);
    return undefined;
  }
  if (faults().portTaken === options.listen.port) {
    tell("failed", "BOOT_LISTEN: EADDRINUSE");
    return undefined;
  }
  if (delayMs !== undefined) await pause(delayMs);
  if (stayAt === "starting") return { close: () => undefined };
  const policy = parsePolicy(options.policy);
  const measurement = faults().measurement ?? options.measurement;
  const credentials = await certifyKeep(options.authorityDirectory, options.policy, measurement);
  tell("attested");
  if (stayAt === "attested") return { close: () => undefined };
  const door = new Door(policy, options);
  const server = createServer(keepServerOptions(policy, credentials), (request, response) => {
    door.answer(request, response).catch(() => request.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.listen.port, options.listen.host, () => resolve());
  });
  tell("serving");
  return {
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Upload {
  readonly path: string;
  readonly length: number;
  readonly hash: Hash;
  size: number;
}

class Door {
  readonly #policy: Policy;
  readonly #options: SmallKeepOptions;
  readonly #files = new Map<string, { size: number; sha256: string }>();
  readonly #uploads = new Map<string, Upload>();

  constructor(policy: Policy, options: SmallKeepOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "https://keep");
    const path = url.searchParams.get("path") ?? "";
    const [route = "", id = ""] = `${request.method} ${url.pathname}`.split(/(?<=uploads)\//);
    if (route === "POST /v1/uploads") this.#open(request, response, path);
    else if (route === "PATCH /v1/uploads") await this.#add(request, response, id);
    else if (route === "HEAD /v1/uploads") this.#tell(response, id);
    else if (route === "DELETE /v1/uploads") {
      this.#uploads.delete(id);
      send(response, {});
    } else if (route === "GET /v1/status") {
      send(response, this.#status());
    } else if (route === "GET /v1/list") {
      const entries = [...this.#files].map(([name, file]) => ({ name, kind: "file", ...file }));
      const open = [...this.#uploads.values()].map((each) => ({
        name: each.path,
        kind: "upload",
        size: each.size,
      }));
      send(response, { entries: [...entries, ...open] });
    } else if (route === "PUT /v1/files") {
      // In one request: an upload that is opened and completed at once.
      const opened = this.#open(request, undefined, path);
      if (opened === undefined) refuse(response, 403, "RIGHTS_REFUSED", "no right to write");
      else await this.#add(request, response, opened);
    } else if (route === "POST /v1/shutdown") {
      send(response, {});
      response.once("close", () => this.#options.tell("ended", "shut down by a client"));
    } else refuse(response, 404, "ROUTE_NOT_FOUND", route);
  }

  #status(): object {
    const { measurement, faults } = this.#options;
    const inputs = this.#policy.terms.inputs.map(({ path, size }, index) => {
      return { path, size, state: "ready", received: size, ...faults().inputs?.[index] };
    });
    const platform = { platform: "simulated-nitro", simulated: true, measurement };
    return { state: "serving", ...platform, policy_hash: "", started_at: "", inputs };
  }

  #open(
    request: IncomingMessage,
    response: ServerResponse | undefined,
    path: string,
  ): string | undefined {
    const identity = identityOfPeer(request.socket as TLSSocket, this.#policy, systemClock.now());
    const rights = identity?.rights ?? new Map();
    if (!mayWrite(rights, path, { exists: this.#files.has(path) }).allowed) {
      if (response !== undefined) refuse(response, 403, "RIGHTS_REFUSED", "no right to write");
      return undefined;
    }
    const { headers } = request;
    const length = Number(headers["upload-length"] ?? headers["content-length"]);
    const id = randomUUID();
    this.#uploads.set(id, { path, length, hash: createHash("sha256"), size: 0 });
    if (response !== undefined) send(response, { id, offset: 0 });
    return id;
  }

  #tell(response: ServerResponse, id: string): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) response.statusCode = 404;
    else response.setHeader("upload-offset", upload.size);
    response.end();
  }

  async #add(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const upload = this.#uploads.get(id);
    const offset = Number(request.headers["upload-offset"] ?? 0);
    if (upload === undefined || upload.size !== offset) {
      refuse(response, 409, "UPLOAD_OFFSET", `the upload stands at ${upload?.size}`);
      return;
    }
    const { cutEvery = Number.POSITIVE_INFINITY } = this.#options.faults();
    for await (const part of request) {
      upload.hash.update(part as Uint8Array);
      upload.size += (part as Uint8Array).length;
      if (upload.size - offset > cutEvery) request.socket.destroy();
    }
    // Of one whose length nobody said all has come when the body is over.
    const length = Number.isNaN(upload.length) ? upload.size : upload.length;
    if (upload.size === length) await this.#complete(response, id, upload);
  }

  async #complete(response: ServerResponse, id: string, upload: Upload): Promise<void> {
    const { faults } = this.#options;
    const { path, size, hash } = upload;
    while (path.startsWith(faults().stallPath ?? "\0")) await pause(20);
    // Dropped while it was held back: then nothing comes of it.
    if (!this.#uploads.delete(id)) return;
    if (path.startsWith(faults().refusePath ?? "\0")) {
      refuse(response, 403, "RIGHTS_REFUSED", "told to refuse");
      return;
    }
    const file = { size, sha256: hash.digest("hex") };
    const wanted = this.#policy.fileHashes.get(path);
    if (wanted !== undefined && wanted !== file.sha256) {
      refuse(response, 422, "HASH_MISMATCH", "another digest than the policy's");
      return;
    }
    this.#files.set(path, file);
    send(response, { path, ...file });
  }
}

function send(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  response.statusCode = status;
  send(response, problem(status, code, detail));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
