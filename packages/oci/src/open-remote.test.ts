// Remote files over real HTTP on loopback: what comes, what breaks off, and where nobody is asked.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { readBody } from "@holdfast/core";
import { openRemote, type RemoteFile, SourceError, type SourceErrorCode } from "./index.ts";

const DIGEST = "ab".repeat(32);
const FILE = Buffer.from("a file");

let server: Server;
let origin: string;
const asked: string[] = [];

before(async () => {
  server = createServer(({ url = "", headers }, response) => {
    asked.push(url);
    const blob = `/v2/team/model/blobs/sha256:${DIGEST}`;
    if (url === "/open/file") response.end(FILE);
    else if (url === "/open/encoding") response.end(headers["accept-encoding"]);
    else if (url === "/open/chunks") response.write(FILE, () => response.end(FILE));
    else if (url === "/open/moved") response.writeHead(307, { location: "file" }).end();
    else if (url === "/open/away") response.writeHead(302, { location: "/closed/file" }).end();
    else if (url === "/open/round") response.writeHead(302, { location: "/open/round" }).end();
    else if (url === "/open/silent") return;
    else if (url === "/open/stalls") response.writeHead(200, { "content-length": "9" }).write("x");
    else if (url === "/open/broken") {
      response.writeHead(200, { "content-length": "9" });
      response.write("x", () => response.destroy());
    } else if (url === blob && headers.authorization === "Bearer anonymous") response.end(FILE);
    else if (url === blob) {
      const challenge = `Bearer realm="${origin}/token",service="registry"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    } else if (url === `/v2/team/odd/blobs/sha256:${DIGEST}`) {
      const challenge = `Bearer realm="${origin}/token",service="odd"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    } else if (url === "/token?service=registry") response.end('{"token":"anonymous"}');
    else if (url === "/token?service=odd") response.end('{"token":"a\\r\\nhost: other"}');
    else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

function open(source: string, silenceMs = 60_000): Promise<RemoteFile> {
  const allow = [`${origin}/open`, `${origin}/v2/team/`, `${origin}/token`];
  return openRemote({ allow, silenceMs }, source, DIGEST, new AbortController().signal);
}

async function read(source: string, silenceMs?: number): Promise<string> {
  const { bytes } = await open(source, silenceMs);
  return Buffer.from((await readBody(bytes, 1000)) ?? []).toString();
}

async function refused(code: SourceErrorCode, message: RegExp, call: Promise<unknown>) {
  await assert.rejects(call, (thrown) => {
    assert.ok(thrown instanceof SourceError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    return true;
  });
}

test("a file comes as it is", async () => {
  assert.equal((await open(`${origin}/open/file`)).length, FILE.length);
  assert.equal(await read(`${origin}/open/file`), "a file");
  assert.equal(await read(`${origin}/open/chunks`), "a filea file");
  assert.equal(await read(`${origin}/open/moved`), "a file");
  assert.equal(await read(`${origin}/open/encoding`), "identity");
  assert.equal(await read(`${origin.replace("http:", "oci:")}/team/model`), "a file");
});

test("whoever needs no more of a file can leave it", async () => {
  const { bytes, close } = await open(`${origin}/open/stalls`);
  assert.equal((await bytes.next()).done, false);
  close();
  await refused("SOURCE_FAILED", /broke off/, bytes.next());
  const stopping = new AbortController();
  const config = { allow: [origin] };
  const source = `${origin}/open/stalls`;
  const other = await openRemote(config, source, DIGEST, stopping.signal);
  await other.bytes.next();
  stopping.abort();
  await refused("SOURCE_FAILED", /broke off/, other.bytes.next());
});

test("a source that fails is told from one that ends", async () => {
  await refused("SOURCE_FAILED", /broke off/, read(`${origin}/open/broken`));
  await refused(
    "SOURCE_FAILED",
    /broke off: nothing came for 2000 ms/,
    read(`${origin}/open/stalls`, 2000),
  );
  await refused(
    "SOURCE_FAILED",
    /does not answer: nothing came/,
    open(`${origin}/open/silent`, 300),
  );
  await refused("SOURCE_FAILED", /answered 404/, open(`${origin}/open/none`));
  await refused("SOURCE_FAILED", /redirects more than 3 times/, open(`${origin}/open/round`));
});

test("nothing but what is allowed is asked, redirects included", async () => {
  asked.length = 0;
  for (const path of [
    "/closed/file",
    "/open/../closed/file",
    "/open/..%2fclosed/file",
    "/open/x%5C%2e%2E%5Cclosed",
    "/open/x%2F..",
    "/openly/file",
    "/v2/other/model",
  ]) {
    await refused("SOURCE_NOT_ALLOWED", /does not allow/, open(`${origin}${path}`));
  }
  const { host } = new URL(origin);
  await refused("SOURCE_NOT_ALLOWED", /does not allow/, open(`oci://${host}/other/model`));
  assert.deepEqual(asked, []);
  await refused("SOURCE_NOT_ALLOWED", /closed/, open(`${origin}/open/away`));
  assert.deepEqual(asked, ["/open/away"]);
});

test("refused: a token that could not stand in a header", async () => {
  const source = origin.replace("http:", "oci:");
  await refused("SOURCE_FAILED", /gives no token/, open(`${source}/team/odd`));
});

test("a source that is none is refused", async () => {
  const { host } = new URL(origin);
  for (const source of [
    "file:///etc/passwd",
    "nonsense",
    `http://user:secret@${host}/open/file`,
    `oci://${host}/Team/model`,
    `oci://${host}/team/../model`,
  ]) {
    await refused("SOURCE_INVALID", /expected|is lower-case/, open(source));
  }
});
