// Rows of CCFaaS: functions.
import type { FunctionBody } from "@holdfast/contract";
import type { Answer } from "../../../apps/control/src/testing/call.ts";
import { ask, differs, type Row, type Side, same } from "./row.ts";
import { definitionOf, register } from "./sample-function.ts";

const LIST = "GET /function";
const CREATE = "POST /function";
const ONE = "GET /function/NAME";
const REMOVE = "DELETE /function/NAME";
const form = { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } };
const broken = { body: "{", headers: { "content-type": "application/json" } };
const INVALID = "400 <p>Json object is not correct ...</p>";
const VOD = definitionOf("vod");
const NAMED_ODDLY = "???";

/** Rows of functions. */
export const FUNCTION_ROWS: readonly Row<Side>[] = [
  same(LIST, "none", '200 {"functions":[]}', (side) => ask(side, LIST)),
  same(CREATE, "new", "200 DEFINITION", (side) => registered(register(side, VOD), VOD)),
  same(LIST, "one", '200 {"functions":["vod"]}', (side) => ask(side, LIST)),
  same(ONE, "there", "200 DEFINITION", (side) => registered(ask(side, "GET /function/vod"), VOD)),
  differs(
    ONE,
    "not there",
    { theirs: "404 <p>function none not found</p>", ours: "404 FUNCTION_NOT_FOUND" },
    (side) => ask(side, "GET /function/none"),
  ),
  differs(
    CREATE,
    "a name that is taken",
    {
      theirs: "400 <p>Could not create the function vod</p>",
      ours: "409 FUNCTION_EXISTS",
      why: "the status for it",
    },
    (side) => register(side, VOD),
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
  differs(CREATE, "an unknown member", { theirs: INVALID, ours: "400 REQUEST_INVALID" }, (side) =>
    register(side, { ...VOD, extra: 1 }),
  ),
  differs(
    CREATE,
    "a boolean for a number",
    { theirs: INVALID, ours: "400 REQUEST_INVALID" },
    (side) => register(side, { ...VOD, max_memory_mib: true }),
  ),
  same(CREATE, "a number written 2000.0", "200 DEFINITION", (side) => {
    const definition = definitionOf("decimal");
    const body = JSON.stringify(definition).replace(":2000", ":2000.0");
    const headers = { "content-type": "application/json" };
    return registered(ask(side, CREATE, { body, headers }), definition);
  }),
  same(CREATE, "without data_files", "200 DEFINITION", (side) => {
    const { data_files: _, ...definition } = definitionOf("no data");
    return registered(register(side, definition), definition);
  }),
  same(CREATE, "data_files with priority", "200 DEFINITION", (side) => {
    const definition = definitionOf("ordered");
    for (const file of definition.data_files ?? []) file.priority = 3;
    return registered(register(side, definition), definition);
  }),
  differs(
    CREATE,
    "a name whose base64 has a slash",
    {
      theirs: "400 <p>Could not create the function ???</p>",
      ours: "200 DEFINITION",
      why: "names are names",
    },
    (side) => {
      const definition = definitionOf(NAMED_ODDLY);
      return registered(register(side, definition), definition);
    },
  ),
  differs(
    ONE,
    "a name with a slash",
    {
      theirs: "404 page of Flask",
      ours: "200 DEFINITION",
      why: "what is registered can be asked for",
    },
    async (side) => {
      const definition = definitionOf("a/b");
      await register(side, definition);
      return registered(ask(side, "GET /function/a%2Fb"), definition);
    },
  ),
  same(REMOVE, "there", "200 <p>Function ordered deleted</p>", (side) =>
    ask(side, "DELETE /function/ordered"),
  ),
  differs(
    REMOVE,
    "not there",
    {
      theirs: "404 <p>Veracruz instance 'ordered' does not existe!</p>",
      ours: "404 FUNCTION_NOT_FOUND",
    },
    (side) => ask(side, "DELETE /function/ordered"),
  ),
  differs(
    "PUT /function",
    "",
    { theirs: "405 page of Flask", ours: "405 METHOD_NOT_ALLOWED" },
    (side) => ask(side, "PUT /function"),
  ),
];

/** Names a definition instead of showing it. */
async function registered(
  answered: ReturnType<typeof ask>,
  definition: FunctionBody,
): Promise<Answer | string> {
  const answer = await answered;
  if (answer.status !== 200 || answer.type !== "application/json") return answer;
  const sorted = JSON.stringify(definition, Object.keys(flatten(definition)).sort());
  return JSON.stringify(JSON.parse(answer.text)) === sorted ? "200 DEFINITION" : answer;
}

/** Every name of a member, at any depth; JSON.stringify takes them in this order. */
function flatten(value: unknown): Record<string, true> {
  if (typeof value !== "object" || value === null) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, member]) => ({ [name]: true, ...flatten(member) })),
  );
}
