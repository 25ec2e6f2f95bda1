// A page with the verifier on it, served from a port of its own: Web Cryptography is there for pages from the machine itself.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildVerifier } from "../../tools/build-verifier.ts";

/** A served page. */
export interface ServedPage {
  readonly url: string;
  /** Every path that was asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** What the page itself adds: JSON in, JSON out. */
const SCRIPT = `
import { judge } from "./verifier.mjs";
const bytes = (text) => Uint8Array.fromBase64(text);
globalThis.judgeJob = async (job) => {
  const { at, evidence, files, roots, nonce, reportData, expect, ...rest } = job;
  return await judge(bytes(evidence), {
    ...rest,
    at: new Date(at),
    endorsements: files.map(({ name, content }) => ({ name, bytes: bytes(content) })),
    roots: roots.map(bytes),
    ...(nonce === undefined ? {} : { nonce: bytes(nonce) }),
    ...(reportData === undefined ? {} : { reportData: bytes(reportData) }),
    ...(expect === undefined ? {} : { expect: new Map(expect) }),
  });
};
globalThis.ready = true;
`;

/** Serves the page. */
export async function servePage(): Promise<ServedPage> {
  const verifier = await buildVerifier();
  const files: Readonly<Record<string, readonly [string, string | Uint8Array]>> = {
    "/": ["text/html", '<!doctype html><script type="module" src="/page.mjs"></script>'],
    "/page.mjs": ["text/javascript", SCRIPT],
    "/verifier.mjs": ["text/javascript", verifier],
  };
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    const [type, body] = files[url] ?? ["text/plain", ""];
    // Nothing but this page's own modules may be loaded or reached from it.
    const policy = "default-src 'none'; script-src 'self'";
    response.writeHead(url in files ? 200 : 404, {
      "content-type": type,
      "content-security-policy": policy,
    });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
