// Rows of the S3 bridge.
import type { S3StreamBody } from "@holdfast/contract";
import type { World } from "../../../apps/control/src/testing/world.ts";
import { ask, differs, type Row, type Side, same } from "./row.ts";

/** A bridge between a store with the object `video` and a keep. */
export interface BridgeSide extends Side {
  readonly world: World;
  /** A request for a copy of `video` to a file that may be written. */
  body(change?: { s3?: object; veracruz?: object }): S3StreamBody;
  /** The size of the file in the keep; undefined when there is none. */
  sizeInKeep(): Promise<number | undefined>;
}

const COPY = "POST /s3_stream_veracruz";
const INVALID = "400 <p>Json object is not correct ...</p>";
const form = { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } };

const copy = (side: BridgeSide, change: Parameters<BridgeSide["body"]>[0] = {}) =>
  ask(side, COPY, { json: side.body(change) });

/** All rows. */
export const S3_ROWS: readonly Row<BridgeSide>[] = [
  differs(
    COPY,
    "not JSON",
    {
      theirs: "200 <p>input should a json object!</p>",
      ours: "415 REQUEST_MEDIA_TYPE",
      why: "a refusal is no success",
    },
    (side) => ask(side, COPY, form),
  ),
  differs(
    COPY,
    "JSON that is no object",
    {
      theirs: "200 <p>input should a correct json object!</p>",
      ours: "400 REQUEST_INVALID",
      why: "a refusal is no success",
    },
    (side) => ask(side, COPY, { json: [] }),
  ),
  differs(COPY, "an unknown member", { theirs: INVALID, ours: "400 REQUEST_INVALID" }, (side) =>
    copy(side, { s3: { acl: "public" } }),
  ),
  differs(
    COPY,
    "{}",
    { theirs: "500 page of Flask", ours: "400 REQUEST_INVALID", why: "both parts are needed" },
    (side) => ask(side, COPY, { json: {} }),
  ),
  differs(
    COPY,
    "one of the two AWS keys",
    {
      theirs: "400 <p>aws credentials have to be all provided or none </p>",
      ours: "400 S3_CREDENTIALS",
    },
    (side) => copy(side, { s3: { aws_secret_access_key: undefined } }),
  ),
  differs(
    COPY,
    "with aws_session_token",
    {
      theirs: INVALID,
      ours: "200 <p>OK video file copied</p>",
      why: "the documentation has it, the schema forgets it",
    },
    (side) => copy(side, { s3: { aws_session_token: "token" } }),
  ),
  differs(
    COPY,
    "no such object",
    {
      theirs: "500 <p>Not able to read bucket videos file none from S3: ClientError<p>",
      ours: "404 S3_NOT_FOUND",
      why: "the status for it",
    },
    (side) => copy(side, { s3: { filename: "none" }, veracruz: { filename: NEVER } }),
  ),
  differs(
    COPY,
    "what the keep has after that",
    { theirs: "an empty file", ours: "no file", why: "the whole file or none" },
    async (side) => {
      const size = await side.sizeInKeep();
      return size === undefined ? "no file" : size === 0 ? "an empty file" : "a file";
    },
  ),
  differs(
    COPY,
    "a name that no bucket has",
    {
      theirs: "500 <p>Not able to read bucket a b file video from S3: ParamValidationError<p>",
      ours: "404 S3_NOT_FOUND",
      why: "the store is asked, and has none of it",
    },
    (side) => copy(side, { s3: { bucket: "a b" } }),
  ),
  differs(
    COPY,
    "the keep refuses the file",
    {
      theirs: "500 <p>Not able to write file to veracruz instance<p>",
      ours: "502 KEEP_REFUSED",
      why: "says the reason",
    },
    async (side) => {
      side.world.setFaults({ refusePath: "/s3_app_input/refused" });
      try {
        return await copy(side, { veracruz: { filename: "/s3_app_input/refused" } });
      } finally {
        side.world.setFaults({});
      }
    },
  ),
  same(COPY, "done", "200 <p>OK video file copied</p>", (side) => copy(side)),
];

/** The file that a failed copy was for. */
export const NEVER = "/s3_app_input/never";
