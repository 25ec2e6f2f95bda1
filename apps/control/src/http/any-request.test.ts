// Requests that nobody wrote: for every operation of every service's own OpenAPI document, with values that fit its
// schemas, nearly fit, or don't. None may make a service fail, and every answer is as the document declares it.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { fetchTransport, NamespaceClient } from "@holdfast/contract";
import fc from "fast-check";
import {
  type ApiDocument,
  type ApiOperation,
  DeclaredAnswers,
} from "../testing/declared-answers.ts";
import { newIdentities, provisionVod, userPolicy } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
}
interface Operation extends ApiOperation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, { schema: Schema }> };
}
type Document = ApiDocument & { readonly paths: Record<string, Record<string, Operation>> };
type Schema = {
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly format?: string;
};

const RUNS = Number(process.env["HOLDFAST_REQUESTS"] ?? 40);
/** Answers that say whose fault it is and when to come back; anything else from 500 up is a failure of ours. */
const HONEST = new Set([502, 503, 507]);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "vod_small",
    "0",
    "127.0.0.1:3014",
    "",
    "..",
    "/",
    "%",
    "\0",
    "__proto__",
    "L2E=",
    "team",
    "1",
    "stable",
    "vod_small@stable",
    "sha256:",
  ),
);

describe("requests that nobody wrote", { concurrency: false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld({ keepPorts: 2 });
    await world.start();
    // Something to be found: the names are among those that are tried.
    await provisionVod(world.ccfaas);
    await world.ccfaas.setAlias("vod_small", "stable", 1);
    await world.ccfaas.createInstance(userPolicy(await newIdentities()));
    const namespaces = new NamespaceClient(fetchTransport(world.ccfaasUrl));
    await namespaces.create({ name: "team", quotas: { functions: 2, instances: 1, bytes: 10 } });
  });
  after(() => world?.close());

  for (const service of ["vaas", "ccfaas", "s3"] as const) {
    it(`never make ${service} fail`, async () => {
      const base = { vaas: world.vaasUrl, ccfaas: world.ccfaasUrl, s3: world.s3Url }[service];
      const document = (await (await fetch(`${base}/openapi.json`)).json()) as Document;
      assert.ok(Object.keys(document.paths).length > 3);
      const answers = new DeclaredAnswers(document);
      for (const [path, operations] of Object.entries(document.paths)) {
        for (const [method, operation] of Object.entries(operations)) {
          await fc.assert(
            fc.asyncProperty(requestOf(path, operation), async (made) => {
              const answer = await send(base, method.toUpperCase(), made);
              const what = `${method} ${made.path} ${made.body?.toString().slice(0, 300)}: ${answer.status} ${answer.body.slice(0, 300)}`;
              assert.ok(answer.status < 500 || HONEST.has(answer.status), what);
              answers.check(operation, answer, what);
              if (answer.status < 400) return;
              const problem = JSON.parse(answer.body) as { code: string; status: number };
              assert.match(problem.code, /^[A-Z0-9]+(_[A-Z0-9]+)+$/, what);
              assert.equal(problem.status, answer.status, what);
            }),
            { numRuns: RUNS },
          );
        }
      }
    });
  }
});

interface Made {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

function requestOf(path: string, operation: Operation): fc.Arbitrary<Made> {
  const names = operation.parameters.map(({ name }) => name);
  return fc
    .record({
      prefix: fc.constantFrom(
        "",
        "",
        "",
        "/namespaces/team",
        "/namespaces/nobody",
        "/namespaces/..%2f",
      ),
      values: fc.array(text, { minLength: names.length, maxLength: names.length }),
      given: fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
      body: bodyOf(operation),
    })
    .map(({ prefix, values, given, body }) => {
      let filled = path;
      const query = new URLSearchParams();
      const headers: Record<string, string> = { ...body.headers };
      operation.parameters.forEach((parameter, index) => {
        const value = values[index] ?? "";
        if (parameter.in === "path") {
          filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value.toWellFormed()));
        } else if (given[index] && parameter.in === "query") query.set(parameter.name, value);
        else if (given[index]) headers[parameter.name] = value.replace(/[^\x21-\x7e]/g, "x");
      });
      // A stream of events would not end.
      delete headers["last-event-id"];
      query.delete("wait");
      return { path: `${prefix}${filled}?${query}`, headers, body: body.bytes };
    });
}

function bodyOf({ requestBody }: Operation): fc.Arbitrary<{
  headers: Record<string, string>;
  bytes: Buffer | undefined;
}> {
  if (requestBody === undefined) return fc.constant({ headers: {}, bytes: undefined });
  const [[type = "", media] = []] = Object.entries(requestBody.content);
  const schema = media?.schema ?? {};
  const value = fc.oneof(
    { weight: 3, arbitrary: fitting(schema) },
    { weight: 2, arbitrary: nearly(schema) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const bytes = fc.oneof(
    { weight: 5, arbitrary: value.map((each) => Buffer.from(JSON.stringify(each) ?? "")) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)) },
  );
  return bytes.map((each) => ({ headers: { "content-type": type }, bytes: each }));
}

/** Values that a schema admits. */
function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === "object") {
    const properties = Object.entries(schema.properties ?? {});
    return fc.record(Object.fromEntries(properties.map(([name, each]) => [name, fitting(each)])), {
      requiredKeys: [...(schema.required ?? [])],
    });
  }
  if (schema.type === "array") return fc.array(fitting(schema.items ?? {}), { maxLength: 3 });
  if (schema.type === "integer") return fc.oneof(fc.integer(), fc.maxSafeInteger());
  if (schema.type === "boolean") return fc.boolean();
  return fc.oneof(
    text,
    fc.constantFrom("JIT", "TLS1_3_AES_128_GCM_SHA256", "ab".repeat(32), "/a/b"),
  );
}

/** Values that a schema admits, but for one member. */
function nearly(schema: Schema): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {});
  return fc
    .tuple(fitting(schema), fc.constantFrom("extra", ...names), fc.jsonValue())
    .map(([value, name, other]) =>
      typeof value === "object" && value !== null ? { ...value, [name]: other } : other,
    );
}

function send(
  base: string,
  method: string,
  { path, headers, body }: Made,
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const call = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.once("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          type: answer.headers["content-type"] ?? "",
          body: Buffer.concat(parts).toString(),
        }),
      );
    });
    call.once("error", reject);
    call.end(body);
  });
}
