// Files that are fetched instead of uploaded: from a web server and from a registry, both on loopback.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import type { FunctionResource } from "@holdfast/contract";
import { type Answer, call, isJson, isProblem } from "../testing/call.ts";
import { DATA_FILES, FILES, PROGRAM, sha256, vodFunction } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const [DATA = ""] = DATA_FILES;
const WEIGHTS = "/program_data/yolov3.weights";

describe("remote files", { concurrency: false }, () => {
  let world: World;
  let server: Server;
  let origin: string;
  const asked: string[] = [];

  before(async () => {
    server = createServer((request, response) => answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    world = await makeWorld({ limits: { data_file_bytes: 1000 } });
    const allow = [`${origin}/open`, `${origin}/v2/team/`, `${origin}/token`];
    Object.assign(world.config, { remote: { allow } });
    await world.start();
  });
  after(async () => {
    await world?.close();
    server.closeAllConnections();
    server.close();
  });
  beforeEach(async () => {
    for (const name of await world.ccfaas.listFunctions()) await world.ccfaas.deleteFunction(name);
    await world.ccfaas.registerFunction(vodFunction());
    asked.length = 0;
  });

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = "", headers } = request;
    asked.push(url);
    const program = FILES[PROGRAM] ?? new Uint8Array();
    const blob = `/v2/team/detector/blobs/sha256:${sha256(program)}`;
    if (url === "/open/detector.wasm" || url === "/closed/detector.wasm") response.end(program);
    else if (url === "/open/names") response.end(FILES[DATA]);
    else if (url === "/open/away")
      response.writeHead(302, { location: "/closed/detector.wasm" }).end();
    else if (url === "/open/round") response.writeHead(302, { location: "/open/round" }).end();
    else if (url === "/open/moved") response.writeHead(307, { location: "detector.wasm" }).end();
    else if (url === "/open/large") response.end(Buffer.alloc(2000));
    else if (url === "/open/broken") {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setTimeout(() => response.destroy(), 20);
    } else if (url === blob && headers.authorization === "Bearer anonymous") response.end(program);
    else if (url === blob) {
      const scope = 'service="registry",scope="repository:team/detector:pull"';
      response
        .writeHead(401, { "www-authenticate": `Bearer realm="${origin}/token",${scope}` })
        .end();
    } else if (url.startsWith("/token?service=registry&scope=repository")) {
      response.end(JSON.stringify({ token: "anonymous" }));
    } else response.writeHead(404).end();
  }

  const fetchInto = (path: string, source: string): Promise<Answer> =>
    call("POST", `${world.ccfaasUrl}/v1/functions/vod_small/fetch`, { json: { path, source } });
  const missing = async (): Promise<string[]> =>
    (await world.ccfaas.describeFunction("vod_small")).missing;

  it("come from a web server, checked against the definition", async () => {
    const answer = await fetchInto(PROGRAM, `${origin}/open/detector.wasm`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual((JSON.parse(answer.text) as FunctionResource).missing, DATA_FILES);
    isProblem(await fetchInto(PROGRAM, `${origin}/open/detector.wasm`), 409, "FILE_EXISTS");
  });

  it("come from a registry that gives tokens to everybody", async () => {
    const registry = origin.replace("http://", "oci://");
    assert.equal((await fetchInto(PROGRAM, `${registry}/team/detector`)).status, 200);
    assert.equal(asked.length, 3);
    assert.equal((await missing()).includes(PROGRAM), false);
  });

  it("are followed to where an allowed place sends, if that is allowed", async () => {
    assert.equal((await fetchInto(PROGRAM, `${origin}/open/moved`)).status, 200);
    await world.ccfaas.deleteFile("vod_small", "program", PROGRAM);
    isProblem(await fetchInto(PROGRAM, `${origin}/open/away`), 403, "SOURCE_NOT_ALLOWED");
    assert.equal(asked.includes("/closed/detector.wasm"), false);
    isProblem(await fetchInto(PROGRAM, `${origin}/open/round`), 502, "SOURCE_FAILED");
  });

  it("that are in the store already are not fetched again", async () => {
    await fetchInto(PROGRAM, `${origin}/open/detector.wasm`);
    await world.ccfaas.registerFunction(vodFunction("another"));
    asked.length = 0;
    const json = { path: PROGRAM, source: `${origin}/open/detector.wasm` };
    const answer = await call("POST", `${world.ccfaasUrl}/v1/functions/another/fetch`, { json });
    assert.equal(answer.status, 200);
    assert.deepEqual(asked, []);
  });

  it("with another digest, too large or broken off leave nothing", async () => {
    isProblem(await fetchInto(DATA, `${origin}/open/detector.wasm`), 422, "FILE_HASH_MISMATCH");
    isProblem(await fetchInto(WEIGHTS, `${origin}/open/large`), 413, "FILE_TOO_LARGE");
    isProblem(await fetchInto(DATA, `${origin}/open/broken`), 502, "SOURCE_FAILED");
    isProblem(await fetchInto(DATA, `${origin}/open/nothing`), 502, "SOURCE_FAILED");
    assert.deepEqual(await world.store().blobs.list(), []);
    assert.equal((await missing()).length, 4);
  });

  it("come from nowhere that is not allowed", async () => {
    for (const source of [
      `${origin}/closed/detector.wasm`,
      `${origin}/open/../closed/detector.wasm`,
      `${origin}/open%2f..%2fclosed/detector.wasm`,
      `${origin}/openly/detector.wasm`,
      origin.replace("127.0.0.1", "localhost"),
      "http://169.254.169.254/latest/meta-data",
      `oci://${new URL(origin).host}/other/detector`,
    ]) {
      isProblem(await fetchInto(PROGRAM, source), 403, "SOURCE_NOT_ALLOWED");
    }
    assert.deepEqual(asked, []);
  });

  it("want a place that is one", async () => {
    for (const source of [
      "file:///etc/passwd",
      "nonsense",
      `http://user:secret@${new URL(origin).host}/open/names`,
      `oci://${new URL(origin).host}/Team/detector`,
      `oci://${new URL(origin).host}/team/../detector`,
    ]) {
      isProblem(await fetchInto(PROGRAM, source), 422, "SOURCE_INVALID");
    }
    isProblem(await fetchInto("/other", `${origin}/open/names`), 404, "FILE_NOT_IN_FUNCTION");
    isProblem(await fetchInto("/a/../b", `${origin}/open/names`), 422, "PATH_ESCAPE");
    assert.deepEqual(asked, []);
  });

  it("are not fetched at all by default", async () => {
    const other = await makeWorld();
    try {
      await other.start();
      await other.ccfaas.registerFunction(vodFunction());
      const json = { path: DATA, source: `${origin}/open/names` };
      const url = `${other.ccfaasUrl}/v1/functions/vod_small/fetch`;
      isProblem(await call("POST", url, { json }), 403, "SOURCE_NOT_ALLOWED");
      isJson(await call("GET", `${other.ccfaasUrl}/function/vod_small/data_file`), {
        data_files: [],
      });
    } finally {
      await other.close();
    }
  });
});
