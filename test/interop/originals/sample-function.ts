// The function that rows are about, and how it is registered and loaded.
import type { FunctionBody } from "@holdfast/contract";
import { bytesOf, sha256, vodFunction } from "../../../apps/control/src/testing/samples.ts";
import { ask, type Side } from "./row.ts";

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

/** Kinds of files of a function. */
export type Kind = "program" | "data_file";

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

/** Where a file of a function is. */
export function fileUrl(name: string, kind: Kind, path: string): string {
  return `/function/${encodeURIComponent(name)}/${kind}/${base64(path)}`;
}

/** Base64 of a path. */
export function base64(path: string): string {
  return Buffer.from(path).toString("base64");
}
