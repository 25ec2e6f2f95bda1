// The whole control plane over TLS: certificates that it made, callers known by certificates, tokens of an issuer.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ClientIdentity, fetchTrusting, newIdentity } from "@holdfast/channel";
import { CcfaasClient, fetchTransport } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { AUDIENCE, ISSUER, newIssuerKey, serveKeySet, signToken } from "../testing/issuer.ts";
import { eventually, newIdentities, provisionVod, userPolicy } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const digest = (value: string | Uint8Array): string =>
  createHash("sha256").update(value).digest("hex");

interface Scene {
  readonly world: World;
  readonly caFile: string;
  /** Puts other principals into the file, at once. */
  know(...principals: object[]): void;
  ask(path: string, options?: { token?: string; as?: ClientIdentity }): Promise<Answer>;
}
interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

async function scene(t: TestContext, access: object, ...principals: object[]): Promise<Scene> {
  const world = await makeWorld();
  t.after(() => world.close());
  const file = join(world.directory, "principals.json");
  const know = (...known: object[]): void => {
    writeFileSync(`${file}.new`, JSON.stringify({ principals: known }));
    renameSync(`${file}.new`, file);
  };
  know(...principals);
  writeFileSync(join(world.directory, "vaas-token"), "token-o\n");
  Object.assign(world.config, {
    local_development: false,
    access: { principals_file: "principals.json", tls: { auto_dir: "tls" }, ...access },
  });
  const secure = (url: string): string => url.replace("http:", "https:");
  Object.assign(world.config.ccfaas ?? {}, {
    vaas_url: secure(world.vaasUrl),
    vaas_token_file: "vaas-token",
  });
  await world.start();
  const caFile = join(world.directory, "tls/ca.pem");
  const ca = readFileSync(caFile);
  const port = Number(new URL(world.ccfaasUrl).port);
  return {
    world,
    caFile,
    know,
    ask: (path, { token, as } = {}) =>
      new Promise((resolve, reject) => {
        request({
          host: "127.0.0.1",
          port,
          path,
          ca,
          agent: false,
          headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
          ...(as === undefined ? {} : { cert: as.certificatePem, key: as.keyPem }),
        })
          .once("response", (answer) => {
            answer.resume();
            resolve({ status: answer.statusCode, headers: answer.headers });
          })
          .once("error", reject)
          .end();
      }),
  };
}

test("an instance is made with nothing but TLS between the services", async (t) => {
  const { world, caFile } = await scene(
    t,
    {},
    { name: "admin", roles: ["admin", "user", "reader"], token_sha256: digest("token-a") },
    { name: "ccfaas", roles: ["operator", "reader"], token_sha256: digest("token-o") },
  );
  const ccfaas = new CcfaasClient(
    fetchTransport(world.ccfaasUrl.replace("http:", "https:"), {
      headers: { authorization: "Bearer token-a" },
      fetcher: fetchTrusting({ authoritiesPem: readFileSync(caFile) }),
    }),
  );
  await provisionVod(ccfaas);
  const policy = userPolicy(await newIdentities(), { instanceid: "1" });
  const { instance } = await ccfaas.createInstance(policy);
  assert.ok(instance !== undefined);
  await ccfaas.deleteInstance("1");
});

test("who guesses tokens does not keep CCFaaS from VaaS", async (t) => {
  const { world, caFile } = await scene(
    t,
    { rates: { failures: { per_second: 0.001, burst: 2 } } },
    { name: "admin", roles: ["admin", "user", "reader"], token_sha256: digest("token-a") },
    { name: "ccfaas", roles: ["operator", "reader"], token_sha256: digest("token-o") },
  );
  const fetcher = fetchTrusting({ authoritiesPem: readFileSync(caFile) });
  const [vaas, ccfaas] = [world.vaasUrl, world.ccfaasUrl].map((url) =>
    url.replace("http:", "https:"),
  );
  const ask = async (token: string): Promise<Response> =>
    await fetcher(`${vaas}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  // CCFaaS shows its token before it needs it.
  await eventually(
    async () => await (await ask("token-a")).text(),
    (metrics) => metrics.includes('route="/v1/keeps",status="200"'),
  );
  const statuses = [];
  for (const guess of ["a", "b", "c"]) statuses.push((await ask(guess)).status);
  assert.deepEqual(statuses, [401, 401, 429]);
  const headers = { authorization: "Bearer token-a" };
  const client = new CcfaasClient(fetchTransport(ccfaas ?? "", { headers, fetcher }));
  await provisionVod(client);
  await client.createInstance(userPolicy(await newIdentities(), { instanceid: "1" }));
});

test("a caller is known by a certificate that is of its time", async (t) => {
  const twoDaysAgo = { now: () => new Date(Date.now() - 2 * 24 * 60 * 60 * 1000) };
  const known = await newIdentity({ commonName: "known", clock: systemClock });
  const ended = await newIdentity({ commonName: "ended", clock: twoDaysAgo, days: 1 });
  const other = await newIdentity({ commonName: "other", clock: systemClock });
  const principals = [known, ended].map(({ certificatePem }) => ({
    name: "known",
    roles: ["reader"],
    certificate_sha256: digest(new X509Certificate(certificatePem).raw),
  }));
  const { ask } = await scene(t, {}, ...principals);
  const status = async (as?: ClientIdentity): Promise<number | undefined> =>
    (await ask("/function", as === undefined ? {} : { as })).status;
  assert.deepEqual(
    [await status(known), await status(ended), await status(other), await status()],
    [200, 401, 401, 401],
  );
  // Whoever sends a token is its bearer, whatever certificate comes along.
  assert.equal((await ask("/function", { as: known, token: "wrong" })).status, 401);
});

test("who is taken out of the file of principals is refused soon, without a restart", async (t) => {
  const alice = { name: "alice", roles: ["reader"], token_sha256: digest("token-r") };
  const { ask, know } = await scene(t, {}, alice);
  assert.equal((await ask("/function", { token: "token-r" })).status, 200);
  know({ ...alice, token_sha256: digest("another") });
  await eventually(
    () => ask("/function", { token: "token-r" }),
    ({ status }) => status === 401,
  );
  assert.equal((await ask("/function", { token: "another" })).status, 200);
});

test("tokens of the issuer are taken, and refused without saying why", async (t) => {
  const key = await newIssuerKey("one");
  const server = await serveKeySet([key.publicJwk]);
  t.after(() => server.close());
  const oidc = { issuer: ISSUER, audience: AUDIENCE, jwks_url: server.url };
  const { ask } = await scene(t, { oidc });
  const now = Math.floor(Date.now() / 1000);
  const blue = await signToken(key, { holdfast_namespaces: { blue: ["reader"] } });
  assert.equal((await ask("/function", { token: await signToken(key) })).status, 200);
  assert.equal((await ask("/function", { token: blue })).status, 403);
  // Let in, and told that it is not there.
  assert.equal((await ask("/namespaces/blue/function", { token: blue })).status, 404);
  const refused = [
    await ask("/function", { token: await signToken(key, { exp: now - 60 }) }),
    await ask("/function", { token: await signToken(key, { aud: "other" }) }),
    await ask("/function", { token: await signToken(await newIssuerKey("two")) }),
    await ask("/function", { token: "a.b.c" }),
  ];
  for (const { status, headers } of refused) {
    assert.equal(status, 401);
    assert.equal(headers["www-authenticate"], 'Bearer realm="holdfast", error="invalid_token"');
  }
});

test("while the issuer's keys can't be had nobody with a token is let in, and others are", async (t) => {
  const key = await newIssuerKey("one");
  const server = await serveKeySet([key.publicJwk]);
  await server.close();
  const oidc = { issuer: ISSUER, audience: AUDIENCE, jwks_url: server.url };
  const alice = { name: "alice", roles: ["reader"], token_sha256: digest("token-r") };
  const { ask } = await scene(t, { oidc }, alice);
  assert.equal((await ask("/function", { token: await signToken(key) })).status, 503);
  assert.equal((await ask("/function", { token: "token-r" })).status, 200);
});

test("keys in a file are enough, and are read again when they change", async (t) => {
  const [one, two] = [await newIssuerKey("one"), await newIssuerKey("two")];
  const directory = await mkdtemp(join(tmpdir(), "holdfast-keys-"));
  t.after(() => rm(directory, { recursive: true }));
  const jwks_file = join(directory, "keys.json");
  writeFileSync(jwks_file, JSON.stringify({ keys: [one.publicJwk] }));
  const { ask } = await scene(t, {
    oidc: { issuer: ISSUER, audience: AUDIENCE, jwks_file },
    rates: { failures: { per_second: 1000, burst: 1000 } },
  });
  assert.equal((await ask("/function", { token: await signToken(one) })).status, 200);
  writeFileSync(jwks_file, JSON.stringify({ keys: [two.publicJwk] }));
  const token = await signToken(two);
  await eventually(
    () => ask("/function", { token }),
    ({ status }) => status === 200,
  );
  assert.equal((await ask("/function", { token: await signToken(one) })).status, 401);
});
