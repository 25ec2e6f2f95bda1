// The demo's object store as a process of its own, with one object that takes no room on the disk: a sparse file of
// zeros. Requests, signatures, ranges and the ETag (its MD5) are those of any object.
// Usage: node bench/control/sparse-store.ts BYTES   ends with its standard input; says its address on standard output
import { createHash } from "node:crypto";
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
const bytes = Number(process.argv[2]);
truncateSync(file, bytes);
// The store would compute it at the first request, which would time out.
writeFileSync(`${file}.md5`, md5OfZeros(bytes));
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

function md5OfZeros(count: number): string {
  const hash = createHash("md5");
  const zeros = new Uint8Array(1 << 22);
  for (let left = count; left > 0; left -= zeros.length) {
    hash.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
  }
  return hash.digest("hex");
}
