// Every route of every service, asked by every role: in every namespace, in one of its own, in another's. A route that is
// not in the table fails, so that nobody adds one without saying whom it is for.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { call } from "../testing/call.ts";
import { bytesOf, sha256 } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";
import { ROLES, type Role } from "./principal.ts";

type Who = Role | "anyone" | `${Role} everywhere`;

/** By service and path: methods, and whom they are for. */
const TABLE: Readonly<Record<string, Readonly<Record<string, Who>>>> = {
  "* /healthz": { get: "anyone" },
  "* /readyz": { get: "anyone" },
  "* /openapi.json": { get: "reader" },
  "* /metrics": { get: "reader everywhere" },
  "vaas /veracruz": { get: "reader", post: "operator" },
  "vaas /veracruz/{name}": { get: "reader", delete: "operator" },
  "vaas /v1/keeps": { get: "reader" },
  "vaas /v1/keeps/{hash}": { get: "reader" },
  "* /v1/events": { get: "reader" },
  "* /v1/namespace": { get: "reader" },
  "* /v1/namespaces": { get: "reader everywhere", post: "admin everywhere" },
  "* /v1/namespaces/{namespace}": {
    get: "reader everywhere",
    put: "admin everywhere",
    patch: "admin everywhere",
    delete: "admin everywhere",
  },
  "ccfaas /function": { get: "reader", post: "admin" },
  "ccfaas /function/{name}": { get: "reader", delete: "admin" },
  "ccfaas /function/{name}/program": { get: "reader" },
  "ccfaas /function/{name}/program/{file}": { get: "reader", post: "admin", delete: "admin" },
  "ccfaas /function/{name}/data_file": { get: "reader" },
  "ccfaas /function/{name}/data_file/{file}": { get: "reader", post: "admin", delete: "admin" },
  "ccfaas /instance": { get: "reader", post: "user" },
  "ccfaas /instance/{name}": { get: "reader", delete: "user" },
  "ccfaas /v1/functions": { get: "reader", post: "admin" },
  "ccfaas /v1/functions/{name}": { get: "reader", delete: "admin" },
  "ccfaas /v1/functions/{name}/fetch": { post: "admin" },
  "ccfaas /v1/functions/{name}/draft": { get: "reader", put: "admin", delete: "admin" },
  "ccfaas /v1/functions/{name}/draft/fetch": { post: "admin" },
  "ccfaas /v1/functions/{name}/draft/files/{file}": { put: "admin" },
  "ccfaas /v1/functions/{name}/versions": { get: "reader" },
  "ccfaas /v1/functions/{name}/versions/{version}": { get: "reader", delete: "admin" },
  "ccfaas /v1/functions/{name}/aliases": { get: "reader" },
  "ccfaas /v1/functions/{name}/aliases/{alias}": { get: "reader", put: "admin", delete: "admin" },
  "ccfaas /v1/instances": { get: "reader", post: "user" },
  "ccfaas /v1/instances/{name}": { get: "reader", delete: "user" },
  "ccfaas /v1/instances/{name}/policy": { get: "reader" },
  "s3 /s3_stream_veracruz": { post: "user" },
  "s3 /v1/copies": { get: "user", post: "user" },
  "s3 /v1/copies/{id}": { get: "user", delete: "user" },
};

/** Somebody with one role: in every namespace, or in `blue` alone. */
const tokenOf = (role: Role, where: "everywhere" | "blue"): string => `token-${role}-${where}`;
const digest = (token: string): string => sha256(bytesOf(token));
const bodyOf = (method: string): { json?: object } =>
  method === "get" || method === "delete" ? {} : { json: {} };

/** Paths of a service with their methods, from its own document. */
async function operationsOf(base: string): Promise<[path: string, methods: string[]][]> {
  const authorization = `Bearer ${tokenOf("reader", "everywhere")}`;
  const { text } = await call("GET", `${base}/openapi.json`, { headers: { authorization } });
  const { paths } = JSON.parse(text) as { paths: Record<string, object> };
  return Object.entries(paths).map(([path, operations]) => [path, Object.keys(operations)]);
}

describe("roles", { concurrency: false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld({ keepPorts: 1 });
    const principals = ROLES.flatMap((role) => [
      { name: role, roles: [role], token_sha256: digest(tokenOf(role, "everywhere")) },
      {
        name: `${role} b`,
        namespaces: { blue: [role] },
        token_sha256: digest(tokenOf(role, "blue")),
      },
    ]);
    writeFileSync(join(world.directory, "principals.json"), JSON.stringify({ principals }));
    Object.assign(world.config, {
      local_development: false,
      access: { principals_file: "principals.json", tls_ends_elsewhere: true },
    });
    await world.start();
  });
  after(() => world?.close());

  for (const service of ["vaas", "ccfaas", "s3"] as const) {
    it(`of ${service} let do their own, and nothing of another's`, async () => {
      const base = { vaas: world.vaasUrl, ccfaas: world.ccfaasUrl, s3: world.s3Url }[service];
      for (const [path, methods] of await operationsOf(base)) {
        const whos = TABLE[`${service} ${path}`] ?? TABLE[`* ${path}`];
        assert.deepEqual([...methods].sort(), Object.keys(whos ?? {}).sort(), `${service} ${path}`);
        for (const [method, who] of Object.entries(whos ?? {})) await ask(base, method, path, who);
      }
    });
  }

  async function ask(base: string, method: string, path: string, who: Who): Promise<void> {
    const expected = (role: Role, isOwn: boolean, isEverywhere: boolean): boolean => {
      if (who === "anyone") return true;
      const [needed, everywhere] = who.split(" ");
      return role === needed && (isEverywhere || (isOwn && everywhere === undefined));
    };
    const at = path.replaceAll(/\{\w+\}/g, "none");
    const unknown = await call(method.toUpperCase(), `${base}${at}`, bodyOf(method));
    assert.equal(unknown.status === 401, who !== "anyone", `${method} ${path} by nobody known`);
    for (const role of ROLES) {
      for (const [where, namespace, isOwn] of [
        ["everywhere", "", true],
        ["everywhere", "/namespaces/blue", true],
        ["blue", "", false],
        ["blue", "/namespaces/blue", true],
        ["blue", "/namespaces/red", false],
      ] as const) {
        const { status, text } = await call(method.toUpperCase(), `${base}${namespace}${at}`, {
          ...bodyOf(method),
          headers: { authorization: `Bearer ${tokenOf(role, where)}` },
        });
        const isLetIn = status !== 401 && status !== 403;
        const what = `${role} (${where}) ${method} ${namespace}${path}: ${status} ${text}`;
        assert.equal(isLetIn, expected(role, isOwn, where === "everywhere"), what);
      }
    }
  }
});
