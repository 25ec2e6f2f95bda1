// Routes of uploads that can be resumed, in the manner of draft-ietf-httpbis-resumable-upload: a resource with an
// offset that its owner asks for after a break and goes on from.
import { KeepError } from "../errors.ts";
import { continueUpload, dropUpload, findUpload, openUpload } from "../services/upload-file.ts";
import type { KeepState } from "../state/keep-state.ts";
import type { CompleteUpload, Upload } from "../state/uploads.ts";
import { parseDigest } from "./digest-fields.ts";
import { type Answer, type Exchange, json, oneOf, optional, type Route } from "./exchange.ts";
import { lengthOf } from "./routes-files.ts";

const MEDIA_TYPE = "application/partial-upload";

/** Routes of resumable uploads. */
export function uploadRoutes(keep: KeepState): Route[] {
  const path = "/v1/uploads/:id";
  return [
    { method: "POST", path: "/v1/uploads", handle: (exchange) => open(keep, exchange) },
    {
      method: "HEAD",
      path,
      handle: ({ caller, parameters }) => ({
        status: 204,
        headers: headersOf(findUpload(keep, caller, parameters["id"] ?? "")),
      }),
    },
    { method: "PATCH", path, handle: (exchange) => add(keep, exchange) },
    {
      method: "DELETE",
      path,
      handle: ({ caller, parameters }) => {
        dropUpload(keep, caller, parameters["id"] ?? "");
        return { status: 204 };
      },
    },
  ];
}

function open(keep: KeepState, { caller, query, headers }: Exchange): Answer {
  const upload = openUpload(keep, {
    caller,
    path: oneOf(query, "path"),
    append: optional(query, "append") === "1",
    length: lengthOf(headers["upload-length"]),
    digest: parseDigest(headers["repr-digest"]),
  });
  return {
    status: 201,
    headers: { location: `/v1/uploads/${upload.id}`, ...headersOf(upload) },
    json: { id: upload.id, offset: upload.file.received },
  };
}

async function add(keep: KeepState, exchange: Exchange): Promise<Answer> {
  const { caller, parameters, headers, body } = exchange;
  if (headers["content-type"] !== MEDIA_TYPE) {
    throw new KeepError("REQUEST_TYPE", `content-type must be ${MEDIA_TYPE}`);
  }
  const offset = lengthOf(headers["upload-offset"]);
  const complete = headers["upload-complete"];
  if (offset === undefined || (complete !== "?0" && complete !== "?1")) {
    throw new KeepError("REQUEST_INVALID", "upload-offset and upload-complete are expected");
  }
  const id = parameters["id"] ?? "";
  const result = await continueUpload(keep, {
    caller,
    id,
    offset,
    complete: complete === "?1",
    drain: body.drain,
  });
  return "path" in result
    ? { ...json(result, 201), headers: { "upload-complete": "?1" } }
    : { status: 204, headers: headersOf(result) };
}

function headersOf(upload: Upload | CompleteUpload): Record<string, string> {
  if ("result" in upload) {
    return { "upload-offset": String(upload.received), "upload-complete": "?1" };
  }
  const { file, length } = upload;
  return {
    "upload-offset": String(file.received),
    "upload-complete": "?0",
    ...(length === undefined ? {} : { "upload-length": String(length) }),
  };
}
