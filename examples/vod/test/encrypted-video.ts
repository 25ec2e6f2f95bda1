// A user's side of the matter: a video encrypted with AES-128-CTR, and the files the program finds in the keep.
import { createCipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GuestFiles } from "./host.ts";

/** The sample video of this example. */
export const SAMPLE: string = join(import.meta.dirname, "..", "sample", "faces.h264");

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);
// The counter passes 2^64 and 2^128 within the first blocks.
const IV = new Uint8Array(16).fill(0xff);

/** Key, iv and encrypted video where the program expects them. */
export function encrypted(
  video: Uint8Array,
  { key = KEY, iv = IV }: { key?: Uint8Array; iv?: Uint8Array } = {},
): GuestFiles {
  const cipher = createCipheriv("aes-128-ctr", key, iv);
  return {
    "/user_input/key": key,
    "/user_input/iv": iv,
    "/s3_app_input/in_enc.h264": cipher.update(video),
  };
}

/** A model out of three files of any names. */
export function model(labels: string, configuration: string, weights: string): GuestFiles {
  return {
    "/program_data/coco.names": readFileSync(labels),
    "/program_data/yolov3.cfg": readFileSync(configuration),
    "/program_data/yolov3.weights": readFileSync(weights),
  };
}

/** A model directory as the program wants it named. */
export function modelIn(directory: string): GuestFiles {
  const file = (name: string) => join(directory, name);
  return model(file("coco.names"), file("yolov3.cfg"), file("yolov3.weights"));
}
