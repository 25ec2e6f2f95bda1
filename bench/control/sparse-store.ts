// The demo's object store as a process of its own, with one object that takes no room on the disk: a sparse file of
// zeros. Requests, signatures, ranges and the ETag (its MD5, which the store computes once) are those of any object.
// Usage: node bench/control/sparse-store.ts BYTES   ends with its standard input; says its address on standard output
import { mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@holdfast/core";
import { startObjectStore } from "../../apps/cli/src/object-store/object-store.ts";
import { BUCKET, CREDENTIALS, KEY, REGION } from "./sparse-object.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-bench-store-"));
mkdirSync(join(directory, BUCKET));
const file = join(directory, BUCKET, `${KEY}._S3rver_object`);
openSync(file, "w");
truncateSync(file, Number(process.argv[2]));
writeFileSync(
  join(directory, BUCKET, `${KEY}._S3rver_metadata.json`),
  JSON.stringify({ "content-type": "application/octet-stream" }),
);
const store = await startObjectStore({
  directory,
  bucket: BUCKET,
  credentials: { ...CREDENTIALS, region: REGION },
  listen: { host: "127.0.0.1", port: 0 },
  clock: systemClock,
});
console.log(store.url);
process.stdin.resume().once("end", () => {
  rmSync(directory, { recursive: true, force: true });
  process.exit();
});
