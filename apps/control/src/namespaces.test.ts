// Nothing of one namespace is seen, listed, counted, changed or ended from another: every operation that the services'
// own documents name, asked from another namespace after everything that the first one has.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  CcfaasClient,
  fetchTransport,
  NamespaceClient,
  namespaceUrl,
  VaasClient,
} from "@holdfast/contract";
import { type Answer, call, isJson, isProblem, nameOf } from "./testing/call.ts";
import {
  DATA_FILES,
  FILES,
  newIdentities,
  PROGRAM,
  provisionVod,
  userPolicy,
  vodFunction,
} from "./testing/samples.ts";
import { makeWorld, type World } from "./testing/world.ts";

const PROGRAM_BYTES = FILES[PROGRAM] ?? new Uint8Array();
const [DATA_FILE = ""] = DATA_FILES;
type Service = "vaas" | "ccfaas" | "s3";
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>> };

/** What makes something, instead of asking for what is there: tried by themselves. */
const MAKING = [
  "post /veracruz",
  "post /function",
  "post /v1/functions",
  "post /instance",
  "post /v1/instances",
  "post /v1/copies",
  "post /s3_stream_veracruz",
];
/** What is about the service, or about all namespaces: that takes a role in all of them. */
const OF_THE_SERVICE = /^\/(healthz|readyz|livez|openapi\.json|metrics|v1\/namespaces?(\/.*)?)$/;

describe("namespaces", { concurrency: false }, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;
  /** Values of the parameters in paths, of what namespace `one` has. */
  let values: Readonly<Record<string, string>>;
  let keep: { readonly name: string; readonly hash: string };

  const urlOf = (service: Service, namespace: string): string =>
    namespaceUrl(
      { vaas: world.vaasUrl, ccfaas: world.ccfaasUrl, s3: world.s3Url }[service],
      namespace,
    );
  const ccfaasIn = (namespace: string): CcfaasClient =>
    new CcfaasClient(fetchTransport(urlOf("ccfaas", namespace)));
  const vaasIn = (namespace: string): VaasClient =>
    new VaasClient(fetchTransport(urlOf("vaas", namespace)));

  before(async () => {
    world = await makeWorld({ keepPorts: 4 });
    await world.start();
    identities = await newIdentities();
    const namespaces = new NamespaceClient(fetchTransport(world.ccfaasUrl));
    for (const name of ["one", "two"]) await namespaces.create({ name });
    const one = ccfaasIn("one");
    await provisionVod(one);
    await one.setAlias("vod_small", "stable", 1);
    await one.putDraft("vod_small", { ...vodFunction(), debug: false, data_files: [newFile] });
    await one.startInstance(userPolicy(identities, { instanceid: "0" }), {
      idempotencyKey: "same key",
    });
    const copy = await call("POST", `${urlOf("s3", "one")}/v1/copies`, { json: copyBody });
    const { keeps } = await vaasIn("one").keeps();
    keep = { name: keeps[0]?.name ?? "", hash: keeps[0]?.instance_hash ?? "" };
    values = {
      hash: keep.hash,
      version: "1",
      alias: "stable",
      id: (JSON.parse(copy.text) as { id: string }).id,
    };
  });
  after(() => world?.close());

  const newFile = { data_file: "/program_data/new", pi_hash: "ab".repeat(32) };
  const copyBody = {
    s3: { bucket: "b", filename: "f", region_name: "r" },
    veracruz: { filename: "/s3_app_input/x", policy: "{}", certificate: "c", key: "k" },
  };
  const nameIn = (path: string): string =>
    path.startsWith("/veracruz") ? keep.name : path.includes("instance") ? "0" : "vod_small";
  const filled = (path: string): string =>
    path.replace(/\{(\w+)\}/g, (_, name: string) => {
      if (name === "name") return encodeURIComponent(nameIn(path));
      if (name === "file") return nameOf(path.includes("data_file") ? DATA_FILE : PROGRAM);
      return encodeURIComponent(values[name] ?? assert.fail(name));
    });
  const operationsOf = async (service: Service): Promise<[method: string, path: string][]> => {
    const { text } = await call("GET", `${urlOf(service, "default")}/openapi.json`);
    const { paths } = JSON.parse(text) as Document;
    return Object.entries(paths)
      .filter(([path]) => !OF_THE_SERVICE.test(path))
      .flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => [method, path] as [string, string]),
      )
      .filter(([method, path]) => !MAKING.includes(`${method} ${path}`));
  };
  /** A request that would do something to what is there, if it were found. */
  const attempt = (base: string, method: string, path: string): Promise<Answer> => {
    const query = path.startsWith("/veracruz") ? `?instance_hash=${keep.hash}` : "";
    const body = path.endsWith("/draft")
      ? vodFunction()
      : path.endsWith("/fetch")
        ? { path: PROGRAM, source: "https://127.0.0.1/x" }
        : { version: 1 };
    const sent =
      method === "get" || method === "delete"
        ? {}
        : path.includes("{file}")
          ? { body: "bytes" }
          : { json: body };
    return call(method.toUpperCase(), `${base}${filled(path)}${query}`, sent);
  };
  /** Everything that a namespace shows of itself. */
  const allOf = async (namespace: string): Promise<Record<string, string>> => {
    const seen: Record<string, string> = {};
    for (const service of ["vaas", "ccfaas", "s3"] as const) {
      for (const [method, path] of await operationsOf(service)) {
        if (method !== "get") continue;
        const { status, text } = await attempt(urlOf(service, namespace), method, path);
        seen[`${service} ${path}`] = `${status} ${text}`;
      }
    }
    return seen;
  };

  for (const other of ["two", "default"]) {
    for (const service of ["vaas", "ccfaas", "s3"] as const) {
      it(`${other} reaches nothing of one at ${service}`, async () => {
        const before = await allOf("one");
        for (const [method, path] of await operationsOf(service)) {
          const answer = await attempt(urlOf(service, other), method, path);
          const what = `${method} ${path}: ${answer.status} ${answer.text}`;
          if (path.includes("{")) assert.equal(answer.status, 404, what);
          else {
            assert.equal(answer.status, 200, what);
            const [list] = Object.values(JSON.parse(answer.text) as Record<string, unknown[]>);
            assert.deepEqual(list, [], what);
          }
        }
        assert.deepEqual(await allOf("one"), before);
      });
    }
  }

  it("one sees its own by the very requests that show others nothing", async () => {
    const seen = await allOf("one");
    const wrong = Object.entries(seen).filter(([, answer]) => !answer.startsWith("200 "));
    assert.deepEqual(wrong, []);
  });

  it("makes things of the same names, ids and keys for each namespace, and ends its own alone", async () => {
    const two = ccfaasIn("two");
    await two.registerFunction({ ...vodFunction(), data_files: [] });
    await two.uploadProgram("vod_small", PROGRAM, PROGRAM_BYTES);
    const policy = userPolicy(identities, { instanceid: "0" });
    const made = await two.startInstance(policy, { idempotencyKey: "same key" });
    assert.equal(`${made.state} ${made.bytes_total}`, `ready ${PROGRAM_BYTES.length}`);
    assert.deepEqual(await two.listInstances(), ["0"]);
    const [mine] = (await vaasIn("two").keeps()).keeps;
    assert.notEqual(mine?.instance_hash, keep.hash);
    const before = await allOf("one");
    await two.deleteInstance("0");
    await two.deleteFunction("vod_small");
    assert.deepEqual(await allOf("one"), before);
    assert.deepEqual((await vaasIn("two").list()).veracruz, []);
    assert.equal((await vaasIn("one").keeps()).keeps.length, 1);
  });

  it("gives nobody bytes for their digest", async () => {
    const two = ccfaasIn("two");
    await two.registerFunction(vodFunction("thief"));
    const path = DATA_FILE;
    // The store has the bytes, but not from this namespace: they would have to be fetched, which is not allowed.
    const fetching = two.fetchFile("thief", { path, source: "https://127.0.0.1/x" });
    await assert.rejects(fetching, { code: "SOURCE_NOT_ALLOWED" });
    const draft = await two.putDraft("thief", { ...vodFunction("thief"), debug: false });
    assert.deepEqual(draft.missing.sort(), [PROGRAM, ...DATA_FILES].sort());
    // Its own it may use again.
    const one = ccfaasIn("one");
    await one.registerFunction(vodFunction("again"));
    await one.fetchFile("again", { path, source: "https://127.0.0.1/x" });
    assert.deepEqual(await one.listDataFiles("again"), [path]);
    await one.deleteFunction("again");
    await two.deleteFunction("thief");
  });

  it("streams events of its own alone", async () => {
    const left = new AbortController();
    const answer = await fetch(`${urlOf("ccfaas", "two")}/v1/events`, {
      headers: { accept: "text/event-stream" },
      signal: left.signal,
    });
    await ccfaasIn("one").registerFunction(vodFunction("elsewhere"));
    await ccfaasIn("two").registerFunction(vodFunction("here"));
    let text = "";
    const decoder = new TextDecoder();
    for await (const part of answer.body ?? []) {
      text += decoder.decode(part, { stream: true });
      if (text.includes("here")) break;
    }
    left.abort();
    assert.doesNotMatch(text, /elsewhere/);
    await ccfaasIn("one").deleteFunction("elsewhere");
    await ccfaasIn("two").deleteFunction("here");
  });

  it("is not there until it is made", async () => {
    for (const service of ["vaas", "ccfaas"] as const) {
      const url = `${urlOf(service, "nobody")}/v1/namespace`;
      isProblem(await call("GET", url), 404, "NAMESPACE_UNKNOWN");
    }
    const answer = await call("POST", `${urlOf("ccfaas", "nobody")}/function`, {
      json: vodFunction(),
    });
    isProblem(answer, 404, "NAMESPACE_UNKNOWN");
    // Who need not say who he is can't find out what there is.
    isJson(await call("GET", `${urlOf("ccfaas", "nobody")}/healthz`), { status: "ok" });
    const wrong = await call("PATCH", `${urlOf("ccfaas", "nobody")}/function`);
    isProblem(wrong, 405, "METHOD_NOT_ALLOWED");
    isJson(await call("GET", `${urlOf("ccfaas", "default")}/function`), { functions: [] });
  });
});
