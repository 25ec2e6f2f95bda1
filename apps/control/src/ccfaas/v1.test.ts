// What the services know beyond the seed: resources under /v1, idempotency, pages, waiting, events, their own document.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type {
  ControlEvent,
  ControlEvents,
  FunctionResources,
  InstanceResource,
  InstanceResources,
} from "@holdfast/contract";
import { type Answer, call, isJson, isProblem } from "../testing/call.ts";
import { eventually, newIdentities, userPolicy, vodFunction } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

describe("resources under /v1", { concurrency: false }, () => {
  let world: World;
  let url: string;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    world = await makeWorld({ keepPorts: 4 });
    await world.start();
    url = world.ccfaasUrl;
    identities = await newIdentities();
    await world.ccfaas.registerFunction(vodFunction());
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    for (const { id } of await world.ccfaas.describeInstances()) {
      await world.ccfaas.deleteInstance(id);
    }
  });

  const create = (id: string, headers: Record<string, string> = {}): Promise<Answer> =>
    call("POST", `${url}/v1/instances`, {
      json: userPolicy(identities, { instanceid: id }),
      headers,
    });
  const resource = ({ text }: Answer): InstanceResource => JSON.parse(text) as InstanceResource;

  it("makes, shows and removes a function", async () => {
    const made = await call("POST", `${url}/v1/functions`, { json: vodFunction("a/b") });
    assert.equal(made.status, 201);
    const where = `${url}${made.headers.get("location")}`;
    const shown = await call("GET", where);
    assert.equal(shown.text, made.text);
    assert.equal((await call("DELETE", where)).status, 204);
    isProblem(await call("GET", where), 404, "FUNCTION_NOT_FOUND");
    isProblem(await call("DELETE", where), 404, "FUNCTION_NOT_FOUND");
  });

  it("makes one function of one idempotency key", async () => {
    const register = (name: string): Promise<Answer> =>
      call("POST", `${url}/function`, {
        json: vodFunction(name),
        headers: { "idempotency-key": "function-key" },
      });
    const answers = await Promise.all([register("once"), register("once"), register("once")]);
    for (const answer of [...answers, await register("once")]) isJson(answer, vodFunction("once"));
    isProblem(await register("twice"), 422, "IDEMPOTENCY_KEY_REUSED");
    await world.ccfaas.deleteFunction("once");
    isJson(await register("twice"), vodFunction("twice"));
    await world.ccfaas.deleteFunction("twice");
  });

  it("gives lists in pages that miss nothing and repeat nothing", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `page${index}`);
    for (const name of names) await world.ccfaas.registerFunction(vodFunction(name));
    const seen: string[] = [];
    let after: string | undefined = "page";
    while (after !== undefined) {
      const query = new URLSearchParams({ limit: "3", after });
      const page = JSON.parse(
        (await call("GET", `${url}/v1/functions?${query}`)).text,
      ) as FunctionResources;
      assert.ok(page.functions.length <= 3);
      seen.push(...page.functions.map(({ name }) => name));
      after = page.next;
    }
    assert.deepEqual(seen, [...names, "vod_small"]);
    for (const name of names) await world.ccfaas.deleteFunction(name);
    isProblem(await call("GET", `${url}/v1/functions?limit=0`), 400, "REQUEST_INVALID");
    isProblem(await call("GET", `${url}/v1/functions?limit=many`), 400, "REQUEST_INVALID");
  });

  it("filters lists", async () => {
    await create("one");
    world.setFaults({ fail: "no" });
    await create("two");
    const ids = async (query: string): Promise<string[]> => {
      const { text } = await call("GET", `${url}/v1/instances?${query}`);
      return (JSON.parse(text) as InstanceResources).instances.map(({ id }) => id);
    };
    assert.deepEqual(await ids(""), ["one", "two"]);
    assert.deepEqual(await ids("state=ready"), ["one"]);
    assert.deepEqual(await ids("state=failed"), ["two"]);
    assert.deepEqual(await ids("function=vod_small&state=ready"), ["one"]);
    assert.deepEqual(await ids("function=other"), []);
    isProblem(await call("GET", `${url}/v1/instances?state=odd`), 400, "REQUEST_INVALID");
    isProblem(await call("GET", `${url}/v1/functions?state=odd`), 400, "REQUEST_INVALID");
  });

  it("answers a creation with 201 once it is ready", async () => {
    const made = await create("0");
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("location"), "/v1/instances/0");
    assert.equal(resource(made).state, "ready");
    const policy = await call("GET", `${url}/v1/instances/0/policy`);
    assert.equal(policy.text, (await world.ccfaas.getInstance("0")).policy);
    assert.match(policy.type, /^text\/plain/);
    assert.equal((await call("DELETE", `${url}/v1/instances/0`)).status, 204);
    isProblem(await call("GET", `${url}/v1/instances/0`), 404, "INSTANCE_NOT_FOUND");
  });

  it("answers at once when asked to, and lets the caller wait for the end", async () => {
    world.setFaults({ delayMs: 300 });
    const made = await create("0", { prefer: "respond-async, wait=5" });
    assert.equal(made.status, 202);
    assert.equal(made.headers.get("preference-applied"), "respond-async");
    assert.match(resource(made).state, /^(requested|starting)$/);
    isProblem(await call("GET", `${url}/v1/instances/0/policy`), 409, "INSTANCE_NOT_READY");
    const waited = await call("GET", `${url}/v1/instances/0?wait=20`);
    const { state, reason } = resource(waited);
    assert.equal(state, "ready", reason ?? "");
  });

  it("tells a caller that did not wait why it failed", async () => {
    world.setFaults({ fail: "no evidence" });
    await create("0", { prefer: "respond-async" });
    const { state, reason } = resource(await call("GET", `${url}/v1/instances/0?wait=20`));
    assert.equal(state, "failed");
    assert.match(reason ?? "", /no evidence/);
  });

  it("makes one instance of one idempotency key, asked at once and again", async () => {
    const key = { "idempotency-key": "instance-key" };
    const answers = await Promise.all([create("0", key), create("0", key), create("0", key)]);
    answers.push(await create("0", key));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201, 201],
    );
    assert.equal((await world.vaas.list()).veracruz.length, 1);
    isProblem(await create("other", key), 422, "IDEMPOTENCY_KEY_REUSED");
    const compatible = await call("POST", `${url}/instance`, {
      json: userPolicy(identities, { instanceid: "0" }),
      headers: key,
    });
    isJson(compatible, await world.ccfaas.getInstance("0"));
  });

  it("tells the life of an instance in events, in order", async () => {
    const last = await world.store().events.last("default");
    await create("0");
    await call("DELETE", `${url}/v1/instances/0`);
    const { text } = await call("GET", `${url}/v1/events?after=${last}&subject=0`);
    const { events } = JSON.parse(text) as ControlEvents;
    assert.deepEqual(
      events.map(({ kind, state }) => `${kind} ${state}`),
      ["requested", "starting", "attested", "provisioning", "ready", "ending", "removed"].map(
        (state) => `instance ${state}`,
      ),
    );
    const keeps = await call("GET", `${world.vaasUrl}/v1/events?after=${last}`);
    const states = (JSON.parse(keeps.text) as ControlEvents).events.map(({ state }) => state);
    assert.equal(states[0], "requested");
    assert.equal(states.at(-1), "ended");
    assert.ok(states.includes("serving"));
  });

  it("streams events as they happen, and goes on where it is told to", async () => {
    const leave = new AbortController();
    const headers = { accept: "text/event-stream" };
    const answer = await fetch(`${url}/v1/events?subject=0`, { headers, signal: leave.signal });
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    const seen = collect(answer);
    await create("0");
    await eventually(
      async () => seen.events,
      (events) => events.some(({ state }) => state === "ready"),
    );
    leave.abort();
    const first = seen.events[0]?.seq ?? 0;
    const again = new AbortController();
    const resumed = await fetch(`${url}/v1/events?subject=0`, {
      headers: { ...headers, "last-event-id": String(first) },
      signal: again.signal,
    });
    const rest = collect(resumed);
    await eventually(
      async () => rest.events,
      (events) => events.some(({ state }) => state === "ready"),
    );
    assert.deepEqual(rest.events, seen.events.slice(1));
    again.abort();
  });

  it("ends its streams when it ends", async () => {
    const other = await makeWorld();
    await other.start();
    const answer = await fetch(`${other.ccfaasUrl}/v1/events`, {
      headers: { accept: "text/event-stream" },
    });
    await other.stop();
    assert.equal(await answer.text(), "");
    await other.close();
  });

  it("counts what it does", async () => {
    await create("0");
    await call("GET", `${url}/instance/none`);
    const { text, type } = await call("GET", `${url}/metrics`);
    assert.match(type, /^text\/plain; version=0\.0\.4/);
    assert.match(
      text,
      /^holdfast_http_request_seconds_count\{method="POST",route="\/v1\/instances",status="201"\} \d+$/m,
    );
    // Names from outside make no series.
    assert.match(text, /route="\/instance\/:name",status="404"/);
    assert.match(text, /^holdfast_instances\{state="ready"\} 1$/m);
    assert.match(
      (await call("GET", `${world.vaasUrl}/metrics`)).text,
      /^holdfast_keeps\{state="serving"\} 1$/m,
    );
    for (const line of text.trim().split("\n")) {
      assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [-+0-9.e]+)$/);
    }
  });

  it("describes itself", async () => {
    for (const [base, path] of [
      [world.vaasUrl, "/veracruz/{name}"],
      [url, "/function/{name}/data_file/{file}"],
      [world.s3Url, "/s3_stream_veracruz"],
    ] as const) {
      const document = JSON.parse((await call("GET", `${base}/openapi.json`)).text) as {
        openapi: string;
        paths: Record<string, Record<string, { operationId: string; responses: object }>>;
      };
      assert.equal(document.openapi, "3.1.0");
      assert.ok(path in document.paths, path);
      const operations = Object.values(document.paths).flatMap((each) => Object.values(each));
      const ids = operations.map(({ operationId }) => operationId);
      assert.equal(new Set(ids).size, ids.length);
      for (const { responses } of operations) assert.ok("default" in responses);
    }
  });
});

/** The events of a stream, as they come. */
function collect(answer: Response): { readonly events: ControlEvent[] } {
  const events: ControlEvent[] = [];
  const read = async (): Promise<void> => {
    let rest = "";
    for await (const part of answer.body ?? []) {
      rest += new TextDecoder().decode(part);
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) events.push(JSON.parse(data) as ControlEvent);
      }
    }
  };
  read().catch(() => undefined);
  return { events };
}
