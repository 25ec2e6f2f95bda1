// Everything outside of a keep that inputs come through, on loopback: a place with files, a service that has keys (it
// encrypts them with a library that is not ours, and looks at no evidence but that it is bound), and the real loader's relay.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { duplexPair } from "node:stream";
import { parseReleaseRequest, sealFile } from "@holdfast/channel";
import { concat, fromBase64, readBody, toText } from "@holdfast/core";
import { FlattenedEncrypt } from "jose";
import { attestationServiceOver } from "../boot/attestation-service.ts";
import { sourceOver } from "../boot/input-source.ts";
import { keyBrokerOver } from "../boot/key-broker.ts";
import { callsOverStream, type LoaderCalls } from "../boot/loader-calls.ts";
import { relayOver } from "../boot/relay.ts";
import { serveRelay } from "../loader/serve-relay.ts";
import type { InputWays, Patience } from "../services/fetch-inputs.ts";

/** How a place answers for a file: with bytes, or however it likes. */
export type Serve = Uint8Array | ((response: ServerResponse) => void);

/** The outside of a keep. */
export interface InputHost {
  readonly origin: string;
  /** What stands at a path. */
  readonly files: Map<string, Serve>;
  /** Keys by name; a status refuses. */
  readonly keys: Map<string, Uint8Array | number>;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** The ways of a keep with that policy, through the loader's relay. */
  ways(policyText: string, patience?: Partial<Patience>): InputWays;
  close(): Promise<void>;
}

/** Five attempts, almost at once. */
export const SHORT: Patience = { attempts: 5, firstMs: 1, longestMs: 8 };
const NONCE = Buffer.alloc(32, 7);

/** Starts it; the loader fetches from below `/open` alone. */
export async function startInputHost(): Promise<InputHost> {
  const files = new Map<string, Serve>();
  const keys = new Map<string, Uint8Array | number>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { url = "" } = request;
    asked.push(url);
    const file = files.get(url);
    if (url.startsWith("/v1/")) {
      void answerAsService(request, keys).then(({ status, body }) =>
        response.writeHead(status).end(JSON.stringify(body)),
      );
    } else if (typeof file === "function") file(response);
    else response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ends: (() => void)[] = [];
  return {
    origin,
    files,
    keys,
    asked,
    ways(policyText, patience = {}) {
      const [ours, theirs] = duplexPair();
      const config = { service: { url: origin }, fetchAllow: [`${origin}/open`] };
      void serveRelay(theirs, config, () => undefined);
      ends.push(() => theirs.destroy());
      return waysOver(callsOverStream(ours), policyText, patience);
    },
    async close() {
      for (const end of ends) end();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The ways of a keep over whatever answers its questions. */
export function waysOver(
  calls: LoaderCalls,
  policyText: string,
  patience: Partial<Patience> = {},
): InputWays {
  const relay = relayOver(calls);
  const keys = keyBrokerOver({
    relay,
    service: attestationServiceOver(relay),
    // Evidence that says of itself what it is over.
    device: { attest: async ({ nonce, userData }) => concat(nonce ?? NONCE, userData ?? NONCE) },
    policyText,
  });
  return { source: sourceOver(calls), keys, patience: { ...SHORT, ...patience } };
}

/** A file sealed with a key. */
export async function sealed(key: Uint8Array, plain: Uint8Array): Promise<Uint8Array> {
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield plain;
  }
  const parts: Uint8Array[] = [];
  for await (const part of sealFile(key, whole())) parts.push(part);
  return concat(...parts);
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

interface ServiceAnswer {
  readonly status: number;
  readonly body: object;
}

async function answerAsService(
  request: IncomingMessage,
  keys: InputHost["keys"],
): Promise<ServiceAnswer> {
  const { url = "" } = request;
  const body = JSON.parse(toText((await readBody(request, 2 ** 21)) ?? new Uint8Array()));
  if (url === "/v1/challenges") {
    return { status: 201, body: { challenge_id: "1", nonce: NONCE.toString("base64") } };
  }
  const [, name = ""] = /^\/v1\/keys\/([^/]+)\/release$/.exec(url) ?? [];
  const key = keys.get(name) ?? 403;
  if (typeof key === "number") return { status: key, body: { code: "KEY_NOT_RELEASED" } };
  const bytes = fromBase64(body.request);
  const bound = concat(NONCE, createHash("sha256").update(bytes).digest());
  if (Buffer.compare(fromBase64(body.evidence), bound) !== 0) return { status: 400, body: {} };
  const jwe = await new FlattenedEncrypt(key)
    .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM" })
    .encrypt(parseReleaseRequest(bytes).recipient);
  return { status: 200, body: { jwe } };
}
