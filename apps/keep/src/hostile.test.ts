// Whatever comes in, policies and requests alike, is refused with a reason or served; nothing ends the keep.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newIdentity } from "@holdfast/channel";
import { type KeepClient, ServiceRefusal } from "@holdfast/contract";
import { readBody, systemClock } from "@holdfast/core";
import { type Policy, parsePolicy } from "@holdfast/policy";
import fc from "fast-check";
import { parseAssignment } from "./config.ts";
import { BootError } from "./errors.ts";
import { copying, wat } from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { EXECUTE, policyText, READ, WRITE } from "./testing/test-policy.ts";

const HOSTILE_PATH = fc.oneof(
  fc.constantFrom(
    "/in/x",
    "/in/",
    "/",
    "",
    "stdin",
    "stdout",
    "/in/../x",
    "//in",
    "/in/\0",
    "/out",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ maxLength: 1500 }),
);

describe("hostile policies", () => {
  test("a changed policy is refused with a reason or is a policy", async () => {
    const text = await somePolicy();
    const paths = leafPaths(JSON.parse(text));
    const change = fc.record({
      path: fc.constantFrom(...paths),
      value: fc.oneof(fc.jsonValue({ maxDepth: 3 }), HOSTILE_PATH, fc.double(), fc.bigInt()),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const policy = changes.reduce(changed, JSON.parse(text));
        boots(
          JSON.stringify(policy, (_, value) => (typeof value === "bigint" ? String(value) : value)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("text that is no policy at all is refused with a reason", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => boots(text)),
      { numRuns: 300 },
    );
  });
});

describe("hostile requests", () => {
  let keep: TestKeep;
  before(async () => {
    keep = await startTestKeep({
      rights: [{ "/in/": READ | WRITE, "/program/": WRITE | EXECUTE, stdin: WRITE, stdout: READ }],
      programs: { "/in/x": { "/in/": READ } },
      maxMemoryMib: 4,
    });
  });
  after(() => keep.close());

  test("to list a stream as if it were a directory", async () => {
    await refused("FILE_KIND", (await keep.client()).list("stdout"));
  });

  test("each is answered, and none with a fault of the keep", async () => {
    const connection = await keep.connection();
    const request = fc.record({
      method: fc.constantFrom("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"),
      path: fc.oneof(
        fc.constantFrom("/v1/files", "/v1/list", "/v1/runs", "/v1/uploads", "/v1/evidence"),
        fc.constantFrom(
          "/v1/consent",
          "/v1/status",
          "/v1/policy",
          "/v1/runs/x/stdout",
          "/v1/nothing",
        ),
        fc.webPath().map((path) => `/${path}`),
      ),
      query: fc.dictionary(
        fc.constantFrom("path", "nonce", "wait", "from", "follow", "append", "other"),
        HOSTILE_PATH.map((text) => text.toWellFormed()),
      ),
      headers: fc.dictionary(
        fc.constantFrom("range", "if-range", "content-digest", "upload-offset", "upload-complete"),
        fc.oneof(
          fc.constantFrom("bytes=0-", "bytes=-1", "sha-256=:AA==:", "?1", "0", "-1", "1e9"),
          fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "")),
        ),
      ),
      body: fc.option(fc.uint8Array({ maxLength: 2000 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ body, ...rest }) => {
        const bodied = !["GET", "HEAD", "TRACE"].includes(rest.method) && body !== undefined;
        const answer = await connection.request({ ...rest, ...(bodied ? { body } : {}) });
        await readBody(answer.body, 100_000);
        assert.notEqual(answer.status, 500, JSON.stringify(rest));
      }),
      { numRuns: 300 },
    );
    assert.deepEqual(
      keep.log.filter((line) => line.includes('"level":"error"')),
      [],
    );
    assert.equal((await (await keep.client()).status()).state, "serving");
  });
});

describe("hostile programs", () => {
  test("changed modules are refused, trap or end; the keep goes on", {
    timeout: 60_000,
  }, async () => {
    const path = "/program/x.wasm";
    const keep = await startTestKeep({
      rights: [{ "/program/": WRITE | EXECUTE }],
      programs: { [path]: { "/program/": READ | WRITE, stdout: WRITE } },
      maxMemoryMib: 16,
      terms: { limits: { wall_time_ms: 200 } },
    });
    try {
      const client = await keep.client();
      const whole = await wat(copying("x", "y"));
      const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 6 }),
          fc.option(fc.nat(whole.length), { nil: undefined, freq: 4 }),
          async (changes, length) => {
            const bytes = whole.slice(0, length);
            for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
            await client.putFile(path, bytes);
            const ended = await runToEnd(client, path);
            assert.match(ended, /^(?:exited|trapped|limit|PROGRAM_INVALID)$/);
          },
        ),
        { numRuns: 120 },
      );
      assert.equal((await client.status()).state, "serving");
    } finally {
      await keep.close();
    }
  });
});

async function runToEnd(client: KeepClient, path: string): Promise<string> {
  try {
    const { id } = await client.startRun(path);
    return (await client.waitRun(id)).state;
  } catch (thrown) {
    if (thrown instanceof ServiceRefusal) return thrown.code;
    throw thrown;
  }
}

/** Reads a policy as the keep does; only a refusal with a reason may be thrown. */
function boots(policy: string): void {
  const assignment = JSON.stringify({ policy, listen: { host: "127.0.0.1", port: 1 } });
  try {
    const read: Policy = parseAssignment(assignment, {
      service: "127.0.0.1:3010",
      ahead: false,
    }).policy;
    assert.equal(read.text, parsePolicy(policy).text);
  } catch (thrown) {
    assert.ok(thrown instanceof BootError, String(thrown));
    assert.notEqual(thrown.message, "");
  }
}

async function somePolicy(): Promise<string> {
  const { certificatePem } = await newIdentity({ commonName: "somebody", clock: systemClock });
  return policyText({
    identities: [{ certificatePem, rights: { "/in/": READ, stdout: READ } }],
    programs: { "/program/run.wasm": { "/in/": READ } },
    fileHashes: { "/program/run.wasm": "0".repeat(64) },
    terms: {
      limits: { wall_time_ms: 10, runs: 1 },
      required_inputs: ["/in/x"],
      read_limits: [{ path: "/in", times: 1, identities: [0] }],
      consent: [0],
      shutdown: [0],
    },
    serverUrl: "127.0.0.1:1",
    attestationUrl: "127.0.0.1:3010",
    attestationCertificatePem: certificatePem,
    measurement: "0".repeat(64),
  });
}

function leafPaths(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, child]) => leafPaths(child, [...at, name]))];
}

function changed(whole: unknown, change: { path: readonly string[]; value: unknown }): unknown {
  const [name, ...rest] = change.path;
  if (name === undefined) return change.value;
  if (typeof whole !== "object" || whole === null) return whole;
  const copy = (Array.isArray(whole) ? [...whole] : { ...whole }) as Record<string, unknown>;
  copy[name] = changed(copy[name], { path: rest, value: change.value });
  return copy;
}
