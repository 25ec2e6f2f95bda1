// Opens the store that a configuration names.
import { join } from "node:path";
import { openStore, type S3Place, type Store } from "@holdfast/store";
import type { Config } from "./config.ts";
import { newS3Client } from "./s3-client.ts";

/**
 * Opens records and blobs.
 * @param databaseUrl of a PostgreSQL, when the configuration names none
 */
export async function openConfiguredStore(config: Config, databaseUrl?: string): Promise<Store> {
  const url = config.databaseUrl ?? databaseUrl;
  const bucket = await bucketOf(config);
  return await openStore({
    directory: join(config.dataDir, "store"),
    ...(url === undefined ? {} : { databaseUrl: url }),
    ...(bucket === undefined ? {} : { bucket }),
  });
}

async function bucketOf({ blobs }: Config): Promise<S3Place | undefined> {
  if (blobs === undefined) return undefined;
  const { bucket, prefix, ...settings } = blobs;
  return { client: await newS3Client(settings), bucket, prefix };
}
