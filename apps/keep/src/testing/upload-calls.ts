// Resumable uploads, request by request.
import assert from "node:assert/strict";
import type { KeepConnection } from "@holdfast/channel";
import type { KeepClient } from "@holdfast/contract";
import { concat, fromText, type HttpResponse, readBody, toText } from "@holdfast/core";

/** Opens an upload; its id. */
export async function open(
  connection: KeepConnection,
  path: string,
  headers: Record<string, string> = {},
  query: Record<string, string> = {},
): Promise<string> {
  const answer = await connection.request({
    method: "POST",
    path: "/v1/uploads",
    query: { path, ...query },
    headers,
  });
  assert.equal(answer.status, 201);
  return String((await jsonOf(answer))["id"]);
}

/** Adds a part. */
export function patch(
  connection: KeepConnection,
  id: string,
  offset: number,
  text: string,
  complete: boolean,
): Promise<HttpResponse> {
  return connection.request({
    method: "PATCH",
    path: `/v1/uploads/${id}`,
    headers: {
      "content-type": "application/partial-upload",
      "upload-offset": String(offset),
      "upload-complete": complete ? "?1" : "?0",
    },
    body: concat(fromText(text)),
  });
}

/** A small file's text. */
export async function textAt(client: KeepClient, path: string): Promise<string> {
  const { body } = await client.readFile(path);
  return toText((await readBody(body, 1000)) ?? new Uint8Array());
}

/** A small answer. */
export async function jsonOf({ body }: HttpResponse): Promise<Record<string, unknown>> {
  return JSON.parse(toText((await readBody(body, 100_000)) ?? new Uint8Array())) as Record<
    string,
    unknown
  >;
}
