// Rows of VaaS.
import type { VaasPolicyBody, VeracruzCreated } from "@holdfast/contract";
import { ask, differs, type Row, same } from "./row.ts";
import {
  create,
  createBriefly,
  expiryOf,
  get,
  policyOf,
  remove,
  type VaasSide,
} from "./vaas-asks.ts";

const CREATE = "POST /veracruz";
const LIST = "GET /veracruz";
const ONE = "GET /veracruz/HOST:PORT";
const REMOVE = "DELETE /veracruz/HOST:PORT";
const HOST = "veracruz-nitro-server:PORT";
const FIRST = `{"${HOST}":{"instance_hash":"HASH","instance_id":"instance1","status":"OK"}}`;
const ENTRY = `{"instance_hash":"HASH","instance_id":"instance1","status":"OK"}`;
const form = { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } };
const broken = { body: "[", headers: { "content-type": "application/json" } };
const semantic = { theirs: "200", ours: "422 POLICY_INVALID" };

/** Only whether it was taken. */
const briefly = (change: Partial<VaasPolicyBody>) => async (side: VaasSide) => {
  const answer = await createBriefly(side, change);
  return answer.status === 200 ? "200" : answer;
};

/** All rows. */
export const VAAS_ROWS: readonly Row<VaasSide>[] = [
  same(LIST, "no instance", '200 {"veracruz":[]}', (side) => ask(side, LIST)),
  same(
    CREATE,
    "with an id",
    '200 {"instance_hash":"HASH","instance_id":"instance1","policy":"POLICY"}',
    (side) => create(side),
  ),
  same(
    CREATE,
    "the policy text",
    'what was sent, in its order, then proxy_attestation_server_url, proxy_service_cert, runtime_manager_hash_nitro, runtime_manager_hash_sgx, runtime_manager_hash_tz, veracruz_server_url; 4 spaces; sgx "", at 127.0.0.1:PORT',
    policyOf,
  ),
  same(CREATE, "without an id", '200 {"instance_hash":"HASH","policy":"POLICY"}', (side) =>
    create(side, { instance_id: undefined } as object),
  ),
  same(
    LIST,
    "two instances",
    `200 {"veracruz":[${FIRST},{"${HOST}":{"instance_hash":"HASH","status":"OK"}}]}`,
    (side) => ask(side, LIST),
  ),
  same(LIST, "?instance_id=", `200 {"veracruz":[${FIRST}]}`, (side) =>
    ask(side, `${LIST}?instance_id=instance1`),
  ),
  same(LIST, "?instance_hash=, 59 digits or all 64", `200 {"veracruz":[${FIRST}]}`, (side) =>
    ask(side, `${LIST}?instance_hash=${side.made.get("instance1")?.hash}abcde`),
  ),
  same(ONE, "internal name", `200 ${ENTRY}`, (side) => get(side, "instance1")),
  same(ONE, "the right id and hash", `200 ${ENTRY}`, (side) =>
    get(side, "instance1", ({ hash }) => `?instance_id=instance1&instance_hash=${hash}`),
  ),
  differs(
    ONE,
    "host of the policy",
    {
      theirs: "404 <p>Veracruz instance '127.0.0.1:PORT' does not exist!</p>",
      ours: `200 ${ENTRY}`,
      why: "the name that users are given finds the instance",
    },
    (side) =>
      ask(side, `GET /veracruz/127.0.0.1:${side.made.get("instance1")?.name.split(":")[1]}`),
  ),
  differs(
    ONE,
    "another id",
    {
      theirs: `404 <p>Veracruz instance '${HOST}' and instance_id 'other' does not exist!</p>`,
      ours: "404 KEEP_NOT_FOUND",
    },
    (side) => get(side, "instance1", () => "?instance_id=other"),
  ),
  differs(
    ONE,
    "another hash",
    { theirs: "400 page of Flask", ours: "404 KEEP_NOT_FOUND", why: "theirs fails over its words" },
    (side) => get(side, "instance1", () => "?instance_hash=00"),
  ),
  differs(
    ONE,
    "not there",
    {
      theirs: "404 <p>Veracruz instance 'veracruz-nitro-server:1' does not exist!</p>",
      ours: "404 KEEP_NOT_FOUND",
    },
    (side) => ask(side, "GET /veracruz/veracruz-nitro-server:1"),
  ),
  differs(
    ONE,
    "no HOST:PORT",
    {
      theirs: "200 <p>name should be on the form <host>:<port></p>",
      ours: "400 NAME_INVALID",
      why: "a refusal is no success",
    },
    (side) => ask(side, "GET /veracruz/noport"),
  ),
  differs(
    CREATE,
    "all ports taken",
    {
      theirs: "500 <p>Error accessing k8s (409) ...</p>",
      ours: "507 KEEPS_NO_PORT",
      why: "their 507 can't be reached",
    },
    (side) => create(side, { instance_id: "third" }),
  ),
  differs(
    REMOVE,
    "without a hash",
    {
      theirs: `404 <p>Veracruz instance '${HOST}' and has instance_hash 'HASH' does not exist!</p>`,
      ours: "404 KEEP_NOT_FOUND",
    },
    (side) => remove(side, "instance1", () => "?instance_id=instance1"),
  ),
  differs(
    REMOVE,
    "another hash",
    {
      theirs: `404 <p>Veracruz instance '${HOST}' and instance_hash '00' does not exist!</p>`,
      ours: "404 KEEP_NOT_FOUND",
    },
    (side) => remove(side, "instance1", () => "?instance_id=instance1&instance_hash=00"),
  ),
  differs(
    REMOVE,
    "no HOST:PORT",
    {
      theirs: "200 <pname should be on the form <host>:<port></p>",
      ours: "400 NAME_INVALID",
      why: "a refusal is no success",
    },
    (side) => ask(side, "DELETE /veracruz/noport"),
  ),
  differs(
    REMOVE,
    "not there",
    {
      theirs: "404 <p>Veracruz instance 'veracruz-nitro-server:1' does not exist!</p>",
      ours: "404 KEEP_NOT_FOUND",
    },
    (side) => ask(side, "DELETE /veracruz/veracruz-nitro-server:1"),
  ),
  same(
    REMOVE,
    "an instance without an id, by its hash",
    `200 <p>Veracruz instance '${HOST}' was removed</p>`,
    (side) => remove(side, "", ({ hash }) => `?instance_hash=${hash}`),
  ),
  differs(
    CREATE,
    "on the port of one that was removed",
    {
      theirs: "500 <p>Error accessing k8s (409) ...</p>",
      ours: '200 {"instance_hash":"HASH","instance_id":"next","policy":"POLICY"}',
      why: "a port is free when the answer comes",
    },
    (side) => create(side, { instance_id: "next" }),
  ),
  differs(
    REMOVE,
    "the hash alone, of an instance with an id",
    {
      theirs: "500 page of Flask",
      ours: `200 <p>Veracruz instance '${HOST}' was removed</p>`,
      why: "the hash says which is meant",
    },
    (side) => remove(side, "instance1", ({ hash }) => `?instance_hash=${hash}`),
  ),
  same(
    REMOVE,
    "id and hash, under any host",
    "200 <p>Veracruz instance 'any:PORT' was removed</p>",
    async (side) => {
      const [[id, made] = ["", undefined]] = side.made;
      const query = `?instance_id=${id}&instance_hash=${made?.hash}`;
      const port = made?.name.split(":")[1];
      const answer = await ask(side, `DELETE /veracruz/any:${port}${query}`);
      side.made.clear();
      side.cleanUp();
      return { ...answer, text: answer.text.replace(/any:\d+/, "any:PORT") };
    },
  ),
  differs(
    CREATE,
    "not JSON",
    {
      theirs: "400 <p>input should a json object!</p>",
      ours: "415 REQUEST_MEDIA_TYPE",
      why: "the status for it",
    },
    (side) => ask(side, CREATE, form),
  ),
  differs(
    CREATE,
    "broken JSON",
    { theirs: "400 page of Flask", ours: "400 REQUEST_INVALID" },
    (side) => ask(side, CREATE, broken),
  ),
  differs(
    CREATE,
    "an unknown member",
    { theirs: "400 <p>Json object is not correct ...</p>", ours: "400 REQUEST_INVALID" },
    (side) => ask(side, CREATE, { json: { ...side.body(), pi_hash: "" } }),
  ),
  differs(
    CREATE,
    "a boolean for a number",
    { theirs: "400 <p>Json object is not correct ...</p>", ours: "400 REQUEST_INVALID" },
    (side) => ask(side, CREATE, { json: { ...side.body(), max_memory_mib: true } }),
  ),
  same(CREATE, "a number written 1000.0", "200", async (side) => {
    const text = JSON.stringify(side.body({ instance_id: "brief" })).replace(":1000,", ":1000.0,");
    const headers = { "content-type": "application/json" };
    const answer = await ask(side, CREATE, { body: text, headers });
    if (answer.status !== 200) return answer;
    const { instance_hash: hash, policy } = JSON.parse(answer.text) as VeracruzCreated;
    const port = /"veracruz_server_url": "[^:]+:(\d+)"/.exec(policy)?.[1];
    await ask(side, `DELETE /veracruz/x:${port}?instance_id=brief&instance_hash=${hash}`);
    side.cleanUp();
    return "200";
  }),
  differs(
    CREATE,
    "no expiry",
    {
      theirs: "200 in 180 days, its minute is the second",
      ours: "200 in 180 days, its minute is the minute",
      why: "as it should be",
    },
    expiryOf,
  ),
  differs(
    CREATE,
    "an unknown strategy",
    { ...semantic, why: "no keep would start with it" },
    briefly({ execution_strategy: "AOT" }),
  ),
  differs(
    CREATE,
    "a suite of TLS 1.2",
    { ...semantic, why: "no handshake would succeed" },
    briefly({ ciphersuite: "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384" }),
  ),
  differs(
    CREATE,
    "a text that is no certificate",
    { ...semantic, why: "nobody could connect" },
    briefly({ identities: [{ certificate: "none", file_rights: [], id: 0 }] }),
  ),
  differs(
    CREATE,
    "a hash that is none",
    { ...semantic, why: "no file would match it" },
    briefly({ file_hashes: [{ file_path: "/a", hash: "zz" }] }),
  ),
  differs(
    CREATE,
    "the keep does not come up",
    {
      theirs: "500 <p>Could not create a veracruz instance!</p>",
      ours: "502 KEEP_FAILED",
      why: "says the reason",
    },
    async (side) => {
      side.failKeeps(true);
      try {
        return await create(side, { instance_id: "fails" });
      } finally {
        side.failKeeps(false);
      }
    },
  ),
  differs(
    "PUT /veracruz",
    "",
    { theirs: "405 page of Flask", ours: "405 METHOD_NOT_ALLOWED" },
    (side) => ask(side, "PUT /veracruz"),
  ),
  differs(
    "GET /nothing",
    "",
    { theirs: "404 page of Flask", ours: "404 ROUTE_NOT_FOUND" },
    (side) => ask(side, "GET /nothing"),
  ),
];
