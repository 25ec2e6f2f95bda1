// The bridge's refusals that need no store. "different" says where an answer differs from the original service's, on
// purpose. Copies themselves are tested against a real store in test/interop.
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { Metrics } from "@holdfast/channel";
import type { S3StreamBody } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import pino from "pino";
import { openAccess } from "../access/access.ts";
import { buildServiceApp, type ServiceApp } from "../http/service-app.ts";
import { redaction } from "../logger.ts";
import { call, isProblem } from "../testing/call.ts";
import { bridgeRoutes } from "./routes.ts";

describe("the S3 bridge", { concurrency: false }, () => {
  let app: ServiceApp;
  let url: string;
  const lines: string[] = [];

  before(async () => {
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const logger = pino({ level: "trace", redact: redaction }, sink);
    const door = { check: async () => undefined, access: openAccess, metrics: new Metrics() };
    app = buildServiceApp({ title: "S3 bridge", logger, ...door }, (service) =>
      bridgeRoutes(service, {
        silenceMs: 1000,
        store: { endpoint: "http://127.0.0.1:9", force_path_style: true },
        clock: systemClock,
      }),
    );
    url = `${await app.listen({ host: "127.0.0.1", port: 0 })}/s3_stream_veracruz`;
  });
  after(() => app?.close());

  const SECRETS = { key: "PRIVATE-KEY-TEXT", secret: "S3-SECRET-TEXT", token: "S3-TOKEN-TEXT" };
  const body = (): S3StreamBody => ({
    s3: {
      bucket: "bucket",
      filename: "file",
      region_name: "us-east-1",
      aws_access_key_id: "id",
      aws_secret_access_key: SECRETS.secret,
      aws_session_token: SECRETS.token,
    },
    veracruz: { filename: "/s3_app_input/x", policy: "{}", certificate: "c", key: SECRETS.key },
  });

  it("different: no JSON is 415 or 400, not 200", async () => {
    const headers = { "content-type": "application/json" };
    isProblem(await call("POST", url, { body: "text" }), 415, "REQUEST_MEDIA_TYPE");
    isProblem(await call("POST", url, { body: "{", headers }), 400, "REQUEST_INVALID");
  });

  it("different: JSON that is no object is 400, not 200", async () => {
    for (const json of [[], null, 1, "text"]) {
      isProblem(await call("POST", url, { json }), 400, "REQUEST_INVALID");
    }
  });

  it("different: neither part may be missing, where {} makes the original fail", async () => {
    isProblem(await call("POST", url, { json: {} }), 400, "REQUEST_INVALID");
    isProblem(await call("POST", url, { json: { s3: body().s3 } }), 400, "REQUEST_INVALID");
    isProblem(
      await call("POST", url, { json: { veracruz: body().veracruz } }),
      400,
      "REQUEST_INVALID",
    );
  });

  it("compatible: an unknown member is 400", async () => {
    const json = { ...body(), s3: { ...body().s3, acl: "public" } };
    isProblem(await call("POST", url, { json }), 400, "REQUEST_INVALID");
  });

  it("different: aws_session_token is taken, as the seed's text says and its schema forgets", async () => {
    const { code } = isProblem(await call("POST", url, { json: body() }), 422, "POLICY_INVALID");
    assert.equal(code, "POLICY_INVALID");
  });

  it("different: a policy that is none is 422, not 500", async () => {
    for (const policy of ["", "no JSON", "[]", "{}"]) {
      const json = { ...body(), veracruz: { ...body().veracruz, policy } };
      isProblem(await call("POST", url, { json }), 422, "POLICY_INVALID");
    }
  });

  it("never logs a key, a secret or a token", () => {
    const all = lines.join("");
    assert.match(all, /POLICY_INVALID/);
    for (const secret of Object.values(SECRETS)) assert.equal(all.includes(secret), false);
  });

  it("blots out secrets even when something logs a whole request", () => {
    const before = lines.length;
    app.log.info({ body: body() }, "careless");
    app.log.info(body().veracruz, "more careless");
    const said = lines.slice(before).join("");
    assert.match(said, /\[secret\]/);
    for (const secret of Object.values(SECRETS)) assert.equal(said.includes(secret), false);
  });
});
