// Keys of an issuer at an address: asked for when they are needed, kept when the issuer is away, never asked for in bulk.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { exportJWK } from "jose";
import { type IssuerKey, type KeySetServer, newIssuerKey, serveKeySet } from "../testing/issuer.ts";
import { parseKeySet, RemoteKeySet } from "./key-set.ts";
import { KeysUnavailable } from "./token-rules.ts";

const MINUTE = 60_000;

interface Scene {
  readonly server: KeySetServer;
  readonly keys: RemoteKeySet;
  readonly faults: string[];
  /** Moves the clock on. */
  later(milliseconds: number): void;
  find(key: IssuerKey): Promise<unknown>;
}

async function scene(t: TestContext, ...known: IssuerKey[]): Promise<Scene> {
  const server = await serveKeySet(known.map(({ publicJwk }) => publicJwk));
  t.after(() => server.close());
  let now = Date.now();
  const faults: string[] = [];
  const keys = new RemoteKeySet({
    url: server.url,
    clock: { now: () => new Date(now) },
    onFault: (fault) => faults.push(fault),
  });
  return {
    server,
    keys,
    faults,
    later: (milliseconds) => {
      now += milliseconds;
    },
    find: ({ kid, alg }) => keys.find({ alg, kid }, { payload: "", signature: "" }),
  };
}

const NOT_THERE = { code: "ERR_JWKS_NO_MATCHING_KEY" };

test("the issuer is asked once, by however many at a time", async (t) => {
  const one = await newIssuerKey("one");
  const { server, find } = await scene(t, one);
  await Promise.all(Array.from({ length: 10 }, () => find(one)));
  await find(one);
  assert.equal(server.asked, 1);
});

test("a new key is found when a token names it, and an old one no longer", async (t) => {
  const [one, two] = [await newIssuerKey("one"), await newIssuerKey("two")];
  const { server, find, later } = await scene(t, one);
  await find(one);
  server.keys = [two.publicJwk];
  later(MINUTE);
  await find(two);
  await assert.rejects(find(one), NOT_THERE);
  assert.equal(server.asked, 2);
});

test("keys that are withdrawn are noticed without anybody naming another", async (t) => {
  const one = await newIssuerKey("one");
  const { server, find, later } = await scene(t, one);
  await find(one);
  server.keys = [];
  later(11 * MINUTE);
  // Whoever comes first is still served by what is at hand, while the issuer is asked.
  await find(one);
  await untilRefused(find, one);
});

async function untilRefused(find: Scene["find"], key: IssuerKey): Promise<void> {
  for (let i = 0; i < 1000; i += 1) {
    const code = await find(key).then(
      () => undefined,
      (thrown: { code?: unknown }) => thrown.code,
    );
    if (code === NOT_THERE.code) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("the key is still found");
}

test("tokens with keys that nobody knows don't make us ask again and again", async (t) => {
  const one = await newIssuerKey("one");
  const { server, find, later } = await scene(t, one);
  await find(one);
  for (let i = 0; i < 50; i += 1) {
    await assert.rejects(find({ ...one, kid: `guess ${i}` }), NOT_THERE);
  }
  assert.equal(server.asked, 1);
  later(31_000);
  await assert.rejects(find({ ...one, kid: "guess" }), NOT_THERE);
  assert.equal(server.asked, 2);
});

test("without an issuer nobody is let in, and it is asked again after a while", async (t) => {
  const one = await newIssuerKey("one");
  const { server, find, later, faults } = await scene(t, one);
  server.answer = (_request, response) => response.writeHead(503).end();
  await assert.rejects(find(one), KeysUnavailable);
  await assert.rejects(find(one), KeysUnavailable);
  assert.equal(server.asked, 1);
  assert.match(faults.join(), /it answered 503/);
  server.answer = undefined;
  later(31_000);
  await find(one);
});

test("keys at hand go on while the issuer is away, and end after a day", async (t) => {
  const one = await newIssuerKey("one");
  const { server, find, later } = await scene(t, one);
  await find(one);
  server.answer = (request) => request.socket.destroy();
  later(23 * 60 * MINUTE);
  await find(one);
  later(61 * MINUTE);
  await assert.rejects(find(one), KeysUnavailable);
  server.answer = undefined;
  later(MINUTE);
  await find(one);
});

const ANSWERS: Readonly<Record<string, [KeySetServer["answer"], RegExp]>> = {
  "an answer that leads elsewhere": [
    (request, response) => {
      if (request.url === "/keys") response.writeHead(302, { location: "/others" }).end();
      else response.end(JSON.stringify({ keys: [] }));
    },
    /redirect/,
  ],
  "an answer without end": [
    (_request, response) => response.write("x".repeat(1 << 20)),
    /over 262144 bytes/,
  ],
  "an answer that is no JSON": [(_request, response) => response.end("<html>"), /JSON/],
  "an answer that is no key set": [(_request, response) => response.end("[]"), /JWK Set/],
  "an answer of too many keys": [
    (_request, response) => response.end(JSON.stringify({ keys: new Array(101).fill({}) })),
    /at most 100/,
  ],
  "an answer of keys that are none": [
    (_request, response) => response.end(JSON.stringify({ keys: [1] })),
    /malformed/i,
  ],
};
for (const [name, [answer, fault]] of Object.entries(ANSWERS)) {
  test(`not taken: ${name}`, async (t) => {
    const one = await newIssuerKey("one");
    const { server, find, faults } = await scene(t, one);
    server.answer = answer;
    await assert.rejects(find(one), KeysUnavailable);
    assert.match(faults.join(), fault);
  });
}

test("a private key in the set by mistake verifies nothing", async () => {
  const { privateKey, alg, kid } = await newIssuerKey("one");
  const keys = parseKeySet(
    JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), alg, kid }] }),
  );
  await assert.rejects(keys({ alg, kid }, { payload: "", signature: "" }), /public/);
});
