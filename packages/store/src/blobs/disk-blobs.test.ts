// The contract on a directory.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { blobContract } from "../testing/blob-contract.ts";
import { openDiskBlobs } from "./disk-blobs.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-blobs-"));
after(() => rmSync(directory, { recursive: true, force: true }));

blobContract("in a directory", {
  open: () => {
    rmSync(directory, { recursive: true, force: true });
    return openDiskBlobs(directory);
  },
  openAgain: () => openDiskBlobs(directory),
  damage: async (sha256, bytes) =>
    writeFileSync(join(directory, sha256.slice(0, 2), sha256), bytes),
  unfinished: async () => readdirSync(join(directory, "incoming")).length,
});
