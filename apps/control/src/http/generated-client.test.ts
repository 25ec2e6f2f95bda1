// A client that somebody else's program makes of our OpenAPI documents, and of nothing else, gets through a whole job:
// the documents say enough, and the truth.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import axios, { type AxiosResponse } from "axios";
import { OpenAPIClientAxios } from "openapi-client-axios";
import {
  DATA_FILES,
  FILES,
  newIdentities,
  PROGRAM,
  userPolicy,
  vodFunction,
} from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

/** Operations by the names that the document gives them. */
type Client = Readonly<Record<string, Operation>>;
type Operation = (parameters?: object, body?: unknown, more?: object) => Promise<AxiosResponse>;

const BYTES = { headers: { "content-type": "application/octet-stream" } };

async function clientOf(url: string): Promise<Client> {
  const { data: definition } = await axios.get(`${url}/openapi.json`);
  const axiosConfigDefaults = { baseURL: url, validateStatus: () => true };
  const api = new OpenAPIClientAxios({ definition, axiosConfigDefaults });
  return (await api.init()) as unknown as Client;
}

/** Calls an operation by its name in the document. */
async function ask(
  client: Client,
  name: string,
  expected: number,
  ...given: Parameters<Operation>
): Promise<Record<string, unknown>> {
  const operation = client[name];
  assert.ok(operation !== undefined, `the document names no ${name}`);
  const { status, data } = await operation(...given);
  assert.equal(status, expected, `${name}: ${JSON.stringify(data)}`);
  return data;
}

describe("a client made of the OpenAPI documents", { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
    await world.start();
  });
  after(() => world?.close());

  it("registers a function, makes an instance, looks at its keep, and ends it", async () => {
    const [ccfaas, vaas, bridge] = await Promise.all(
      [world.ccfaasUrl, world.vaasUrl, world.s3Url].map(clientOf),
    );
    assert.ok(ccfaas && vaas && bridge);
    const key = { "idempotency-key": "once" };
    const name = "vod_small";
    for (const _ of ["first", "again"])
      await ask(ccfaas, "post_v1_functions", 201, key, vodFunction());
    const program = { name, file: Buffer.from(PROGRAM).toString("base64") };
    await ask(ccfaas, "post_function_name_program_file_", 200, program, FILES[PROGRAM], BYTES);
    for (const path of DATA_FILES) {
      const place = { name, file: Buffer.from(path).toString("base64") };
      await ask(ccfaas, "post_function_name_data_file_file_", 200, place, FILES[path], BYTES);
    }
    const provisioned = await ask(ccfaas, "get_v1_functions", 200, {
      state: "provisioned",
      limit: 1,
    });
    assert.equal((provisioned["functions"] as { name: string }[])[0]?.name, name);

    const policy = userPolicy(await newIdentities(), { instanceid: "i 1/ü" });
    await ask(ccfaas, "post_v1_instances", 202, { prefer: "respond-async" }, policy);
    const instance = { name: policy.instanceid };
    const ready = await ask(ccfaas, "get_v1_instances_name_", 200, { ...instance, wait: 20 });
    assert.equal(ready["state"], "ready");
    const keeps = await ask(vaas, "get_v1_keeps", 200, { instance_id: policy.instanceid });
    assert.equal((keeps["keeps"] as { name: string }[])[0]?.name, ready["keep"]);

    await ask(ccfaas, "delete_v1_instances_name_", 204, instance);
    const gone = await ask(ccfaas, "get_v1_instances_name_", 404, instance);
    assert.equal(gone["code"], "INSTANCE_NOT_FOUND");
    assert.deepEqual((await ask(bridge, "get_v1_copies", 200))["copies"], []);
  });
});
