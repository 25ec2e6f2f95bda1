// Rows of CCFaaS: programs and data files. What is registered is what the rows of functions leave behind.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import type { Answer } from "../../../apps/control/src/testing/call.ts";
import { bytesOf } from "../../../apps/control/src/testing/samples.ts";
import { ask, differs, type Row, type Side, same } from "./row.ts";
import {
  base64,
  DATA,
  definitionOf,
  fileUrl,
  type Kind,
  PROGRAM,
  register,
  upload,
} from "./sample-function.ts";

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
