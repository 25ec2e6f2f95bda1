import assert from "node:assert/strict";
import { test } from "node:test";
import { fromText, type HttpRequest } from "@holdfast/core";
import { requestHead } from "./request-head.ts";

const request = (change: Partial<HttpRequest>): HttpRequest => ({
  method: "GET",
  path: "/v1/files",
  ...change,
});
const endless = async function* (): AsyncGenerator<Uint8Array> {};
const textOf = (change: Partial<HttpRequest>): string =>
  requestHead(request(change), "[::1]:99").text;

test("a head says what is asked and how long the body is", () => {
  assert.equal(
    textOf({ query: { path: "/a b\r\n" }, headers: { range: "bytes=0-1" } }),
    "GET /v1/files?path=%2Fa+b%0D%0A HTTP/1.1\r\nhost: [::1]:99\r\nrange: bytes=0-1\r\n\r\n",
  );
  assert.match(textOf({ method: "POST" }), /\r\ncontent-length: 0\r\n/);
  assert.match(textOf({ method: "PUT", body: fromText("four") }), /\r\ncontent-length: 4\r\n/);
  assert.match(textOf({ method: "PUT", body: endless() }), /\r\ntransfer-encoding: chunked\r\n/);
  const known = requestHead(
    request({ method: "PUT", body: endless(), headers: { "content-length": "7" } }),
    "a",
  );
  assert.equal(known.length, 7);
  assert.match(known.text, /\r\ncontent-length: 7\r\n/);
});

test("nothing that a caller says becomes another field or request", () => {
  const bad: Record<string, Partial<HttpRequest>> = {
    "a method": { method: "GET / HTTP/1.1\r\n\r\nPUT" },
    "a path with a space": { path: "/v1/files HTTP/1.1" },
    "a path with a line end": { path: "/v1\r\nx: y" },
    "a path that is none": { path: "http://elsewhere/" },
    "a field name": { headers: { "x: y\r\nz": "1" } },
    "a field value": { headers: { x: "1\r\ncontent-length: 9" } },
    "a second host": { headers: { host: "elsewhere" } },
    "another framing": { headers: { "transfer-encoding": "chunked" } },
    "a length that is no number": { headers: { "content-length": "1e3" } },
    "a length without a body": { method: "PUT", headers: { "content-length": "1" } },
    "another length than the body's": {
      method: "PUT",
      body: fromText("four"),
      headers: { "content-length": "5" },
    },
  };
  for (const [fault, change] of Object.entries(bad)) {
    assert.throws(() => textOf(change), TypeError, fault);
  }
});
