// An issuer of tokens with keys of its own, and its key set at an address in this process.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** A key that tokens are signed with. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** A key set at an address. */
export interface KeySetServer {
  readonly url: string;
  /** How often it was asked. */
  asked: number;
  /** What it answers; the keys' set when absent. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  keys: readonly JWK[];
  close(): Promise<void>;
}

/** Makes a key. */
export async function newIssuerKey(kid: string, alg = "ES256"): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

/** Signs a token; by default a good one for `reader` in every namespace. */
export async function signToken(
  { privateKey, kid, alg }: IssuerKey,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "alice",
    exp: now + 300,
    holdfast_namespaces: { "*": ["reader"] },
  };
  return await new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg, kid, typ: "JWT", ...header })
    .sign(privateKey);
}

/** Who tokens are from, and whom they are for. */
export const ISSUER = "https://issuer.example";
export const AUDIENCE = "holdfast";

/** Serves a key set on loopback. */
export async function serveKeySet(keys: readonly JWK[]): Promise<KeySetServer> {
  const server: Server = createServer((request, response) => {
    served.asked += 1;
    if (served.answer !== undefined) return served.answer(request, response);
    response.setHeader("content-type", "application/jwk-set+json");
    response.end(JSON.stringify({ keys: served.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const served: KeySetServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked: 0,
    answer: undefined,
    keys,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return served;
}
