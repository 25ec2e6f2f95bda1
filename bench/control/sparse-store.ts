// An object store with one object of zeros, in a process of its own. It does what a store has to, and little else, so
// that it is not what is measured: signatures, ranges, If-Match, and an ETag that is the object's MD5.
// Usage: node bench/control/sparse-store.ts BYTES   ends with its standard input; says its address on standard output
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@holdfast/core";
import { checkSignature } from "../../apps/cli/src/object-store/signature.ts";
import { BUCKET, CREDENTIALS, KEY, REGION } from "./sparse-object.ts";

const ZEROS = new Uint8Array(1 << 20);
const RANGE = /^bytes=(\d+)-(\d*)$/;
const size = Number(process.argv[2]);
const etag = `"${md5OfZeros(size)}"`;

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.stdin.resume().once("end", () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const credentials = { ...CREDENTIALS, region: REGION };
  const { accepted } = await checkSignature(request, credentials, systemClock.now());
  const { pathname } = new URL(request.url ?? "/", "http://store");
  if (!accepted) return void response.writeHead(403).end();
  if (pathname !== `/${BUCKET}/${KEY}`) return void response.writeHead(404).end();
  if ((request.headers["if-match"] ?? etag) !== etag) return void response.writeHead(412).end();
  const range = RANGE.exec(request.headers.range ?? "");
  const start = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Math.min(Number(range[2]) + 1, size) : size;
  response.writeHead(range === null ? 200 : 206, {
    "content-length": end - start,
    "content-type": "application/octet-stream",
    ...(range === null ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` }),
    etag,
  });
  let left = request.method === "HEAD" ? 0 : end - start;
  const more = (): void => {
    while (left > 0) {
      const part = ZEROS.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) return;
    }
    response.end();
  };
  response.on("drain", more);
  more();
}

function md5OfZeros(count: number): string {
  const hash = createHash("md5");
  for (let left = count; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, left));
  return hash.digest("hex");
}
