// A fetch that believes one authority: what it carries, and whom it does not talk to.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer as createPlainServer, type IncomingMessage, type Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import {
  basicConstraints,
  createCertificate,
  derWrite,
  EXTENSION,
  encodeName,
  keyUsage,
  toPem,
} from "@holdfast/core";
import { fetchTrusting } from "./fetch-trusting.ts";
import { newSerial, signWith } from "./keys.ts";

const HOUR = 3_600_000;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
/** Tag of an address among a certificate's names. */
const IP_ADDRESS = 0x87;

describe("fetch under an authority of one's own", { timeout: 60_000 }, () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  type Answer = Parameters<typeof createServer>[1];
  async function serve(answer: Answer, address = LOOPBACK): Promise<{ url: string; ca: string }> {
    const authority = await newAuthority();
    const server = createServer(await authority.issue([address]), answer);
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return { url: `https://127.0.0.1:${port}`, ca: authority.pem };
  }

  it("carries method, headers, bytes and the answer", async () => {
    const { url, ca } = await serve(async (request, response) => {
      response.writeHead(201, { "x-seen": request.headers["x-sent"] ?? "" });
      response.end(`${request.method} ${request.url} ${await textOf(request)}`);
    });
    const answer = await fetchTrusting({ authoritiesPem: ca })(`${url}/path?a=b`, {
      method: "POST",
      headers: { "x-sent": "word" },
      body: new TextEncoder().encode("bytes"),
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("x-seen"), "word");
    assert.equal(await answer.text(), "POST /path?a=b bytes");
  });

  it("carries a stream, and an answer without a body", async () => {
    const { url, ca } = await serve(async (request, response) => {
      const text = await textOf(request);
      response.writeHead(204, { "x-length": String(text.length) }).end();
    });
    const parts = [new Uint8Array(70_000), new Uint8Array(5)];
    const answer = await fetchTrusting({ authoritiesPem: ca })(url, {
      method: "PUT",
      body: ReadableStream.from(parts),
      duplex: "half",
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("x-length"), "70005");
    assert.equal(answer.body, null);
  });

  it("does not make a short body of a source that fails", async () => {
    const arrived = Promise.withResolvers<void>();
    const read = Promise.withResolvers<string>();
    const { url, ca } = await serve((request) => {
      request.once("data", () => arrived.resolve());
      request.once("end", () => read.resolve("whole"));
      request.once("error", () => read.resolve("broken"));
    });
    async function* source(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      await arrived.promise;
      throw new Error("the source failed");
    }
    const call = fetchTrusting({ authoritiesPem: ca })(url, {
      method: "POST",
      body: ReadableStream.from(source()),
      duplex: "half",
    });
    await assert.rejects(call, /the source failed/);
    assert.equal(await read.promise, "broken");
  });

  it("does not believe another authority", async () => {
    const { url } = await serve((_request, response) => response.end("secret"));
    const { pem } = await newAuthority();
    await assert.rejects(fetchTrusting({ authoritiesPem: pem })(url, {}), {
      code: /^(UNABLE_TO_|SELF_SIGNED_|CERT_SIGNATURE_FAILURE)/,
    });
  });

  it("does not take a certificate for another name", async () => {
    const { url, ca } = await serve(
      (_request, response) => response.end(),
      Uint8Array.of(10, 0, 0, 1),
    );
    await assert.rejects(fetchTrusting({ authoritiesPem: ca })(url, {}), {
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });

  it("does not speak with a server that speaks no TLS", async () => {
    const server = createPlainServer((_request, response) => response.end());
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { pem } = await newAuthority();
    const call = fetchTrusting({ authoritiesPem: pem })(`https://127.0.0.1:${port}`, {});
    await assert.rejects(call, { code: /SSL|EPROTO/ });
  });

  it("gives up when its caller does, and when nothing is said", async () => {
    const { url, ca } = await serve(() => undefined);
    const giveUp = new AbortController();
    const call = fetchTrusting({ authoritiesPem: ca })(url, { signal: giveUp.signal });
    giveUp.abort();
    await assert.rejects(call, { name: "AbortError" });
    const silent = fetchTrusting({ authoritiesPem: ca, silenceMs: 50 })(url, {});
    await assert.rejects(silent, /no word for 50 ms/);
  });

  it("fails when the answer breaks off", async () => {
    const { url, ca } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    });
    const answer = await fetchTrusting({ authoritiesPem: ca })(url, {});
    await assert.rejects(answer.text());
  });
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return text;
}

interface Authority {
  readonly pem: string;
  issue(addresses: readonly Uint8Array[]): Promise<{ cert: string; key: string }>;
}

async function newAuthority(): Promise<Authority> {
  const own = newKey();
  const subject = encodeName({ CN: "authority of a test" });
  const make = (name: Uint8Array, spki: Uint8Array, extensions: Extensions): Promise<Uint8Array> =>
    createCertificate(
      {
        serial: newSerial(),
        issuer: subject,
        subject: name,
        notBefore: new Date(Date.now() - HOUR),
        notAfter: new Date(Date.now() + HOUR),
        spki,
        extensions,
        algorithm: "ecdsa-sha256",
      },
      signWith(own.privateKey),
    );
  const root = await make(subject, own.spki, [basicConstraints(true), keyUsage("keyCertSign")]);
  return {
    pem: toPem("CERTIFICATE", root),
    async issue(addresses) {
      const { privateKey, spki } = newKey();
      const leaf = await make(encodeName({ CN: "service" }), spki, [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        {
          oid: EXTENSION.subjectAltName,
          value: derWrite.sequence(...addresses.map((each) => derWrite.der(IP_ADDRESS, each))),
        },
      ]);
      return {
        cert: toPem("CERTIFICATE", leaf),
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}

type Extensions = Parameters<typeof createCertificate>[0]["extensions"];

function newKey(): { privateKey: KeyObject; spki: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, spki: publicKey.export({ type: "spki", format: "der" }) };
}
