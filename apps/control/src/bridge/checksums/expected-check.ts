// Which checksum of an object can be checked: the strongest that the store gives, over the whole, or over parts whose
// sizes the store tells. An ETag counts where it is the MD5 that it looks like.
import {
  GetObjectAttributesCommand,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  ALGORITHMS,
  type Algorithm,
  compositeCheck,
  type ObjectCheck,
  wholeCheck,
} from "./object-check.ts";

const MD5_ETAG = /^"?([0-9a-f]{32})"?$/;
const COMPOSITE = /^([A-Za-z0-9+/]+={0,2})-(\d{1,5})$/;
const PAGE = 1000;

/** Where an object is. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

/** The check for an object; undefined when its store says nothing that could be checked. */
export async function expectedCheck(
  store: S3Client,
  place: S3Place,
  answer: GetObjectCommandOutput,
  signal: AbortSignal,
): Promise<ObjectCheck | undefined> {
  let sizes: readonly number[] | undefined;
  for (const algorithm of ALGORITHMS) {
    const said = checksumOf(answer, algorithm);
    if (said === undefined) continue;
    const [, composite, count] = COMPOSITE.exec(said) ?? [];
    if (composite === undefined) return wholeCheck(algorithm, Buffer.from(said, "base64"));
    sizes ??= await partSizes(store, place, answer, signal);
    if (sizes.length !== Number(count)) continue;
    return compositeCheck(algorithm, Buffer.from(composite, "base64"), sizes);
  }
  return undefined;
}

function checksumOf(answer: GetObjectCommandOutput, algorithm: Algorithm): string | undefined {
  if (algorithm !== "MD5") return answer[`Checksum${algorithm}`];
  // With keys of a key service, or of the customer, an ETag is no digest.
  const isPlain = answer.ServerSideEncryption !== "aws:kms" && !answer.SSECustomerAlgorithm;
  const hex = isPlain ? MD5_ETAG.exec(answer.ETag ?? "")?.[1] : undefined;
  return hex === undefined ? undefined : Buffer.from(hex, "hex").toString("base64");
}

/** Sizes of the parts that an object was made of; empty when the store does not tell, or not of this object. */
async function partSizes(
  store: S3Client,
  { bucket, key }: S3Place,
  { ETag, ContentLength }: GetObjectCommandOutput,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const sizes: number[] = [];
  let marker: string | undefined;
  try {
    do {
      const { ETag: current, ObjectParts } = await store.send(
        new GetObjectAttributesCommand({
          Bucket: bucket,
          Key: key,
          ObjectAttributes: ["ETag", "ObjectParts"],
          MaxParts: PAGE,
          ...(marker === undefined ? {} : { PartNumberMarker: marker }),
        }),
        { abortSignal: signal },
      );
      if (current !== ETag?.replaceAll('"', "")) return [];
      for (const { Size = 0 } of ObjectParts?.Parts ?? []) sizes.push(Size);
      marker = ObjectParts?.IsTruncated ? ObjectParts.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
  } catch {
    // A store that does not know the question, or does not let this caller ask it.
    return [];
  }
  return sizes.reduce((sum, size) => sum + size, 0) === ContentLength ? sizes : [];
}
