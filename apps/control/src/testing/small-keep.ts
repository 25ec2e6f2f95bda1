// A keep for tests of this room: attested TLS and files over HTTP as the real one, but it runs no programs. Faults make
// it go wrong.
import { createHash } from "node:crypto";
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
  /** Ends without a word. */
  readonly vanish?: boolean;
  /** Stays in this state for ever. */
  readonly stayAt?: "starting" | "attested";
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
  if (delayMs !== undefined) await pause(delayMs);
  if (stayAt === "starting") return { close: () => undefined };
  const policy = parsePolicy(options.policy);
  const measurement = faults().measurement ?? options.measurement;
  const credentials = await certifyKeep(options.authorityDirectory, options.policy, measurement);
  tell("attested");
  if (stayAt === "attested") return { close: () => undefined };
  const files = new Map<string, { size: number; sha256: string }>();
  const server = createServer(keepServerOptions(policy, credentials), (request, response) => {
    const door = new Door(policy, files, options);
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

class Door {
  readonly #policy: Policy;
  readonly #files: Map<string, { size: number; sha256: string }>;
  readonly #options: SmallKeepOptions;

  constructor(
    policy: Policy,
    files: Map<string, { size: number; sha256: string }>,
    options: SmallKeepOptions,
  ) {
    this.#policy = policy;
    this.#files = files;
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "https://keep");
    const path = url.searchParams.get("path") ?? "";
    const route = `${request.method} ${url.pathname}`;
    if (route === "PUT /v1/files") {
      await this.#put(request, response, path);
    } else if (route === "GET /v1/list") {
      const entries = [...this.#files].map(([name, { size }]) => ({ name, kind: "file", size }));
      send(response, { entries });
    } else if (route === "POST /v1/shutdown") {
      send(response, {});
      response.once("close", () => this.#options.tell("ended", "shut down by a client"));
    } else refuse(response, 404, "ROUTE_NOT_FOUND", route);
  }

  async #put(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const identity = identityOfPeer(request.socket as TLSSocket, this.#policy, systemClock.now());
    const rights = identity?.rights ?? new Map();
    if (!mayWrite(rights, path, { exists: this.#files.has(path) }).allowed) {
      refuse(response, 403, "RIGHTS_REFUSED", "no right to write");
      return;
    }
    const hash = createHash("sha256");
    let size = 0;
    for await (const part of request) {
      hash.update(part as Uint8Array);
      size += (part as Uint8Array).length;
    }
    const { faults } = this.#options;
    while (path.startsWith(faults().stallPath ?? "\0")) await pause(20);
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
