// Rows of CCFaaS: functions and their files.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import type { FunctionBody } from "@holdfast/contract";
import type { Answer } from "../../../apps/control/src/testing/call.ts";
import { bytesOf, sha256, vodFunction } from "../../../apps/control/src/testing/samples.ts";
import { ask, differs, type Row, type Side, same } from "./row.ts";

export const PROGRAM = "/program/detector.wasm";
export const DATA = "/program_data/coco.names";
export const BYTES: Readonly<Record<string, Uint8Array>> = {
  [PROGRAM]: bytesOf("\0asm stands in for the detector"),
  [DATA]: bytesOf("person\nbicycle\n"),
};

/** The seed's function with one data file. */
export function definitionOf(name: string): FunctionBody {
  const hash = (path: string): string => sha256(BYTES[path] ?? new Uint8Array());
  const { programs, ...rest } = vodFunction(name);
  return {
    ...rest,
    data_files: [{ data_file: DATA, pi_hash: hash(DATA) }],
    programs: programs.map((program) => ({ ...program, pi_hash: hash(PROGRAM) })),
  };
}

type Kind = "program" | "data_file";

/** Registers a function. */
export function register(side: Side, body: unknown): ReturnType<typeof ask> {
  return ask(side, "POST /function", { json: body });
}

/** Uploads a file of a function. */
export function upload(
  side: Side,
  name: string,
  path: string,
  body: Uint8Array = BYTES[path] ?? new Uint8Array(),
): ReturnType<typeof ask> {
  const kind = path.startsWith("/program/") ? "program" : "data_file";
  return ask(side, `POST ${fileUrl(name, kind, path)}`, { body: body as Uint8Array<ArrayBuffer> });
}

function fileUrl(name: string, kind: Kind, path: string): string {
  return `/function/${encodeURIComponent(name)}/${kind}/${base64(path)}`;
}

function base64(path: string): string {
  return Buffer.from(path).toString("base64");
}

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

/** Says how long a body is going to be, and waits for the answer before any of it is sent. */
async function announce({ url }: Side, path: string, length: number): Promise<Answer> {
  const sent = request(url + path, { method: "POST", headers: { "content-length": length } });
  sent.flushHeaders();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const { statusCode: status = 0, headers } = answer;
  const said = await text(answer);
  sent.destroy();
  return { status, type: headers["content-type"] ?? "", text: said, headers: new Headers() };
}

/** Every name of a member, at any depth; JSON.stringify takes them in this order. */
function flatten(value: unknown): Record<string, true> {
  if (typeof value !== "object" || value === null) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, member]) => ({ [name]: true, ...flatten(member) })),
  );
}

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

const files = (kind: Kind): string => `/function/NAME/${kind}`;
const file = (kind: Kind): string => `/function/NAME/${kind}/FILE`;
const programUrl = fileUrl("vod", "program", PROGRAM);
const dataUrl = fileUrl("vod", "data_file", DATA);
const trapUrl = fileUrl("trap", "program", PROGRAM);
/** The original encodes the name once more before it shows it. */
const DATA_TWICE = base64(base64(DATA));

/** Rows of programs and data files, after those of functions. */
export const FILE_ROWS: readonly Row<Side>[] = [
  same(`GET ${files("program")}`, "none", '200 {"programs":[]}', (side) =>
    ask(side, "GET /function/vod/program"),
  ),
  differs(
    `GET ${files("program")}`,
    "no such function",
    { theirs: '200 {"programs":[]}', ours: "404 FUNCTION_NOT_FOUND", why: "says so" },
    (side) => ask(side, "GET /function/none/program"),
  ),
  differs(
    `GET ${file("program")}`,
    "not loaded",
    {
      theirs: `404 <p>programn ${PROGRAM} for function vod is not loaded</p>`,
      ours: "404 FILE_NOT_LOADED",
    },
    (side) => ask(side, `GET ${programUrl}`),
  ),
  differs(
    `DELETE ${file("program")}`,
    "not loaded",
    {
      theirs: `404 <p>programn ${PROGRAM} for function vod is not loaded</p>`,
      ours: "404 FILE_NOT_LOADED",
    },
    (side) => ask(side, `DELETE ${programUrl}`),
  ),
  differs(
    `POST ${file("program")}`,
    "no such function",
    { theirs: "404 <p>function none not found</p>", ours: "404 FUNCTION_NOT_FOUND" },
    (side) => upload(side, "none", PROGRAM),
  ),
  differs(
    `POST ${file("program")}`,
    "not in the definition",
    {
      theirs: "404 <p>programn /program/other does not exist on function vod</p>",
      ours: "404 FILE_NOT_IN_FUNCTION",
    },
    (side) => upload(side, "vod", "/program/other"),
  ),
  differs(
    `POST ${file("program")}`,
    "FILE is not base64",
    { theirs: "500 page of Flask", ours: "400 NAME_INVALID", why: "the caller's fault" },
    (side) => ask(side, "POST /function/vod/program/A", { body: "x" }),
  ),
  differs(
    `POST ${file("program")}`,
    "another hash",
    {
      theirs: `400 <p>programn ${PROGRAM} for function trap hash HASH does not match function description HASH already exists</p>`,
      ours: "422 FILE_HASH_MISMATCH",
      why: "the status for it",
    },
    async (side) => {
      await register(side, definitionOf("trap"));
      return upload(side, "trap", PROGRAM, bytesOf("wrong"));
    },
  ),
  differs(
    `GET ${file("program")}`,
    "after an upload that was refused",
    {
      theirs: `200 <p>programn ${PROGRAM} is loaded in function trap</p>`,
      ours: "404 FILE_NOT_LOADED",
      why: "it is not",
    },
    (side) => ask(side, `GET ${trapUrl}`),
  ),
  differs(
    `POST ${file("program")}`,
    "the right bytes after that",
    {
      theirs: `400 <p>programn ${PROGRAM} for function trap already exists</p>`,
      ours: "200 <p>function loaded!</p>",
      why: "one bad upload spoils nothing",
    },
    (side) => upload(side, "trap", PROGRAM),
  ),
  differs(
    `POST ${file("program")}`,
    "too large",
    { theirs: "500 page of Flask", ours: "413 FILE_TOO_LARGE", why: "theirs means to say 400" },
    async (side) => {
      await register(side, definitionOf("large"));
      return announce(side, fileUrl("large", "program", PROGRAM), 10_000_001);
    },
  ),
  same(`POST ${file("program")}`, "right", "200 <p>function loaded!</p>", (side) =>
    upload(side, "vod", PROGRAM),
  ),
  differs(
    `POST ${file("program")}`,
    "again",
    {
      theirs: `400 <p>programn ${PROGRAM} for function vod already exists</p>`,
      ours: "409 FILE_EXISTS",
      why: "the status for it",
    },
    (side) => upload(side, "vod", PROGRAM),
  ),
  same(
    `GET ${file("program")}`,
    "loaded",
    `200 <p>programn ${PROGRAM} is loaded in function vod</p>`,
    (side) => ask(side, `GET ${programUrl}`),
  ),
  same(`GET ${files("program")}`, "one", `200 {"programs":["${base64(PROGRAM)}"]}`, (side) =>
    ask(side, "GET /function/vod/program"),
  ),
  same(`POST ${file("data_file")}`, "right", `200 <p>data_file ${DATA} loaded!</p>`, (side) =>
    upload(side, "vod", DATA),
  ),
  differs(
    `POST ${file("data_file")}`,
    "again",
    {
      theirs: `400 <p>data_file ${DATA} for function vod could not be created: ...</p>`,
      ours: "409 FILE_EXISTS",
      why: "the status for it; no paths of the server",
    },
    (side) => upload(side, "vod", DATA),
  ),
  differs(
    `POST ${file("data_file")}`,
    "not in the definition",
    {
      theirs: "404 <p>data_file /data/other does not exist on function vod</p>",
      ours: "404 FILE_NOT_IN_FUNCTION",
    },
    (side) => upload(side, "vod", "/data/other"),
  ),
  same(`GET ${files("data_file")}`, "one", `200 {"data_files":["${base64(DATA)}"]}`, (side) =>
    ask(side, "GET /function/vod/data_file"),
  ),
  differs(
    `GET ${file("data_file")}`,
    "loaded",
    {
      theirs: `404 <p>data_file ${DATA_TWICE} for function vod is not loaded</p>`,
      ours: `200 <p>data_file ${DATA} is loaded in function vod</p>`,
      why: "theirs looks in the wrong place",
    },
    (side) => ask(side, `GET ${dataUrl}`),
  ),
  differs(
    `DELETE ${file("program")}`,
    "loaded",
    {
      theirs: "500 page of Flask",
      ours: `200 <p>programn ${PROGRAM} deleted from function trap</p>`,
      why: "theirs looks in the wrong place",
    },
    (side) => ask(side, `DELETE ${trapUrl}`),
  ),
  differs(
    `DELETE ${file("data_file")}`,
    "loaded",
    {
      theirs: "500 page of Flask",
      ours: `200 <p>data_file ${DATA} deleted from function large</p>`,
      why: "theirs looks in the wrong place",
    },
    async (side) => {
      await upload(side, "large", DATA);
      return ask(side, `DELETE ${fileUrl("large", "data_file", DATA)}`);
    },
  ),
  differs(
    `DELETE ${file("data_file")}`,
    "not loaded",
    {
      theirs: `404 <p>data_file ${DATA_TWICE} for function trap is not loaded</p>`,
      ours: "404 FILE_NOT_LOADED",
    },
    (side) => ask(side, `DELETE ${fileUrl("trap", "data_file", DATA)}`),
  ),
];
