// A large object in a store of its own process, for benches of the bridge.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { S3Object } from "../../apps/control/src/bridge/s3-object.ts";
import type { ConfigFile } from "../../apps/control/src/config.ts";
import { newS3Client } from "../../apps/control/src/s3-client.ts";

export const BUCKET = "bench";
export const KEY = "object";
export const REGION = "us-east-1";
export const CREDENTIALS = { accessKeyId: "BENCH", secretAccessKey: "bench-secret" };

/** A store with one object. */
export interface SparseObject {
  /** What the bridge is configured with. */
  readonly s3: Partial<NonNullable<ConfigFile["s3"]>>;
  /** What a request for a copy says of it. */
  readonly source: Record<"bucket" | "filename" | "region_name", string> &
    Record<"aws_access_key_id" | "aws_secret_access_key", string>;
  /** Reads all of it, as the bridge does, and throws it away. */
  readAll(): Promise<void>;
  close(): void;
}

/** Starts a store with an object of so many bytes. */
export async function startSparseObject(bytes: number): Promise<SparseObject> {
  const main = join(import.meta.dirname, "sparse-store.ts");
  const child = spawn(process.execPath, [main, String(bytes)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const s3 = { endpoint: line.toString().trim(), force_path_style: true, region: REGION };
  return {
    s3,
    async readAll() {
      const client = await newS3Client(s3, CREDENTIALS);
      const place = { bucket: BUCKET, key: KEY };
      const options = { signal: new AbortController().signal, silenceMs: 60_000 };
      for await (const _part of (await S3Object.open(client, place, options)).read(0));
      client.destroy();
    },
    source: {
      bucket: BUCKET,
      filename: KEY,
      region_name: REGION,
      aws_access_key_id: CREDENTIALS.accessKeyId,
      aws_secret_access_key: CREDENTIALS.secretAccessKey,
    },
    close: () => void child.stdin.end(),
  };
}
