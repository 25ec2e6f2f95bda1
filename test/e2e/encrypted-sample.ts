// The encrypted video of the example, and the object store that it is put into.
import { createCipheriv, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT } from "./holdfast.ts";

/** The example's directory. */
export const VOD: string = resolve(ROOT, "examples/vod");
/** What `putObject` signs with; the store is told by a file. */
export const SECRET = "a-secret-of-the-store";

/** The sample video under a new key: `key`, `iv` and `in_enc.h264` in the directory. */
export async function encryptSample(directory: string): Promise<void> {
  const [key, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv("aes-128-ctr", key, iv);
  writeFileSync(join(directory, "key"), key);
  writeFileSync(join(directory, "iv"), iv);
  writeFileSync(
    join(directory, "in_enc.h264"),
    cipher.update(readFileSync(join(VOD, "sample/faces.h264"))),
  );
}

/** Puts an object into the bucket `videos` of `holdfast serve object-store`. */
export async function putObject(port: number, key: string, body: Uint8Array): Promise<void> {
  const { PutObjectCommand, S3Client } = await import("@aws-sdk/client-s3");
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: "us-east-1",
    credentials: { accessKeyId: "holdfast", secretAccessKey: SECRET },
  });
  await s3.send(new PutObjectCommand({ Bucket: "videos", Key: key, Body: body }));
  s3.destroy();
}
