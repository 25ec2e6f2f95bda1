// POST /s3_stream_veracruz: the keep is checked, then an object streams from S3 into it, no faster than the keep takes
// it. Connections that break on either side are taken up again. The keep sees the file whole or not at all.
import type { S3Client } from "@aws-sdk/client-s3";
import { ChannelError, type KeepConnection } from "@holdfast/channel";
import {
  KeepClient,
  type OnProgress,
  type S3StreamBody,
  ServiceError,
  ServiceRefusal,
} from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import { ControlError } from "../errors.ts";
import { reachKeep } from "../reach-keep.ts";
import { newS3Client } from "../s3-client.ts";
import type { BridgeContext } from "./context.ts";
import { credentialsOf } from "./credentials.ts";
import type { S3Object } from "./s3-object.ts";

/** How a copy is followed. */
export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Told once S3 says how large the object is, and what its bytes are checked against, if anything. */
  readonly onObject?: (size: number, checkedBy: string | undefined) => void;
  readonly onProgress?: OnProgress;
}

/**
 * Copies an object of S3 into a keep.
 * @returns how many bytes went
 * @throws PolicyError; ControlError S3_CREDENTIALS, S3_NOT_FOUND, S3_READ_FAILED, KEEP_IDENTITY, KEEP_UNREACHABLE,
 *   KEEP_NOT_PROVEN, KEEP_REFUSED
 */
export async function copyObject(
  context: BridgeContext,
  { s3, veracruz }: S3StreamBody,
  options: CopyOptions,
): Promise<number> {
  const { signal } = options;
  const policy = parsePolicy(veracruz.policy);
  const credentials = credentialsOf(s3);
  // As in the original's library, an empty region is none.
  const region = s3.region_name || context.store.region;
  const store = await newS3Client(
    { ...context.store, ...(region === undefined ? {} : { region }) },
    credentials,
  );
  let connection: KeepConnection | undefined;
  try {
    connection = await reachKeep({
      policy,
      identity: { certificatePem: veracruz.certificate, keyPem: veracruz.key },
      clock: context.clock,
      timeoutMs: context.silenceMs,
      signal,
    });
    const object = await openObject(context, store, s3, signal);
    options.onObject?.(object.size, object.checkedBy);
    return await put(new KeepClient(connection), veracruz.filename, object, s3, options);
  } catch (thrown) {
    throw refusalOf(thrown);
  } finally {
    connection?.close();
    store.destroy();
  }
}

async function openObject(
  { silenceMs }: BridgeContext,
  store: S3Client,
  s3: S3StreamBody["s3"],
  signal: AbortSignal,
): Promise<S3Object> {
  try {
    const place = { bucket: s3.bucket, key: s3.filename };
    // The SDK is loaded only once somebody copies something.
    const { S3Object } = await import("./s3-object.ts");
    return await S3Object.open(store, place, { signal, silenceMs });
  } catch (thrown) {
    throw s3Refusal(s3, thrown);
  }
}

async function put(
  keep: KeepClient,
  path: string,
  object: S3Object,
  s3: S3StreamBody["s3"],
  { signal, onProgress }: CopyOptions,
): Promise<number> {
  try {
    const { size, sha256 } = object;
    const stored = await keep.uploadFile(path, (offset) => object.read(offset), {
      size,
      signal,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return stored.size;
  } catch (thrown) {
    if (object.failure !== undefined) throw s3Refusal(s3, object.failure);
    throw thrown;
  } finally {
    object.abandon();
  }
}

/** Begins as the original's sentence does, and goes on to say what S3 said. */
function s3Refusal({ bucket, filename }: S3StreamBody["s3"], thrown: unknown): ControlError {
  const { name, $metadata } = thrown as { name?: string; $metadata?: { httpStatusCode?: number } };
  const isMissing = name === "NoSuchKey" || name === "NoSuchBucket" || name === "NotFound";
  const status = $metadata?.httpStatusCode;
  const said = `${name ?? "Error"}${status === undefined ? "" : ` (${status})`}: ${messageOf(thrown)}`;
  return new ControlError(
    isMissing ? 404 : 502,
    isMissing ? "S3_NOT_FOUND" : "S3_READ_FAILED",
    `Not able to read bucket ${bucket} file ${filename} from S3: ClientError: ${said}`,
    { cause: thrown },
  );
}

function refusalOf(thrown: unknown): unknown {
  const said = `Not able to write file to veracruz instance: ${messageOf(thrown)}`;
  if (thrown instanceof ChannelError) {
    if (thrown.code === "CHANNEL_IDENTITY") {
      return new ControlError(422, "KEEP_IDENTITY", said, { cause: thrown });
    }
    const isFalse = thrown.code === "CHANNEL_NOT_PROVEN";
    const code = isFalse ? "KEEP_NOT_PROVEN" : "KEEP_UNREACHABLE";
    return new ControlError(502, code, said, { cause: thrown });
  }
  if (thrown instanceof ServiceRefusal || thrown instanceof ServiceError) {
    return new ControlError(502, "KEEP_REFUSED", `${said} (${thrown.code})`, { cause: thrown });
  }
  return thrown;
}
