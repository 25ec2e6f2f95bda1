// A loader and keep in one process, for tests of this room: speaks the real protocols of both (standard input, state
// file, attested TLS, files over HTTP) but runs no programs. `faults.json` beside its authority makes it go wrong.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { identityOfPeer, keepServerOptions } from "@holdfast/channel";
import { problem } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { mayWrite, parsePolicy } from "@holdfast/policy";
import { certifyKeep } from "./authority.ts";

/** What may go wrong. */
export interface LoaderFaults {
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

interface Spec {
  readonly bundle: string;
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly platform: { readonly authority_dir: string };
  readonly state_file: string;
}

const input = await text(process.stdin);
if (input === "") process.exit(3);
const spec = JSON.parse(input) as Spec;
const directory = spec.platform.authority_dir;
const digest = createHash("sha384").update(readFileSync(spec.bundle)).digest("hex");
const measurement = faults().measurement ?? digest.slice(0, 64);
const files = new Map<string, { size: number; sha256: string }>();

process.on("SIGTERM", () => setTimeout(() => end("terminated"), faults().endDelayMs ?? 0));
tell("starting");
if (faults().vanish) process.exit(1);
const { fail, delayMs } = faults();
if (fail !== undefined) {
  tell("failed", fail);
  process.exit(1);
}
if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
if (faults().stayAt !== "starting") await serve();
else setInterval(() => undefined, 1000);

async function serve(): Promise<void> {
  const policy = parsePolicy(spec.policy);
  const credentials = await certifyKeep(directory, spec.policy, measurement);
  tell("attested");
  if (faults().stayAt === "attested") {
    setInterval(() => undefined, 1000);
    return;
  }
  const server = createServer(keepServerOptions(policy, credentials), (request, response) => {
    const identity = identityOfPeer(request.socket as TLSSocket, policy, systemClock.now());
    if (identity === undefined) {
      request.destroy();
      return;
    }
    const may = (path: string): boolean =>
      mayWrite(identity.rights, path, { exists: files.has(path) }).allowed;
    answer(request, response, may).catch(() => request.destroy());
  });
  await new Promise<void>((resolve) =>
    server.listen(spec.listen.port, spec.listen.host, () => resolve()),
  );
  tell("serving");
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mayWritePath: (path: string) => boolean,
): Promise<void> {
  const url = new URL(request.url ?? "", "https://keep");
  const path = url.searchParams.get("path") ?? "";
  const route = `${request.method} ${url.pathname}`;
  if (route === "PUT /v1/files") {
    if (!mayWritePath(path)) return refuse(response, 403, "RIGHTS_REFUSED", "no right to write");
    const hash = createHash("sha256");
    let size = 0;
    for await (const part of request) {
      hash.update(part as Uint8Array);
      size += (part as Uint8Array).length;
    }
    while (path.startsWith(faults().stallPath ?? "\0")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (path.startsWith(faults().refusePath ?? "\0")) {
      return refuse(response, 403, "RIGHTS_REFUSED", "told to refuse");
    }
    const file = { size, sha256: hash.digest("hex") };
    const wanted = parsePolicy(spec.policy).fileHashes.get(path);
    if (wanted !== undefined && wanted !== file.sha256) {
      return refuse(response, 422, "HASH_MISMATCH", "another digest than the policy's");
    }
    files.set(path, file);
    return send(response, { path, ...file });
  }
  if (route === "GET /v1/list") {
    const entries = [...files].map(([name, { size }]) => ({ name, kind: "file", size }));
    return send(response, { entries });
  }
  if (route === "POST /v1/shutdown") {
    send(response, {});
    end("shut down by a client");
    return;
  }
  return refuse(response, 404, "ROUTE_NOT_FOUND", route);
}

function send(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  response.statusCode = status;
  send(response, problem(status, code, detail));
}

function end(reason: string): void {
  tell("ended", reason);
  setTimeout(() => process.exit(0), 20);
}

function tell(state: string, reason?: string): void {
  const said = {
    state,
    loader_pid: process.pid,
    started_at: systemClock.now().toISOString(),
    platform: "simulated-nitro",
    simulated: true,
    measurement,
    ...(reason === undefined ? {} : { reason }),
  };
  writeFileSync(`${spec.state_file}.new`, JSON.stringify(said));
  renameSync(`${spec.state_file}.new`, spec.state_file);
}

function faults(): LoaderFaults {
  const path = join(directory, "faults.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as LoaderFaults) : {};
}
