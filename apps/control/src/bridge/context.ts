// What the S3 bridge works with.
import type { S3Client } from "@aws-sdk/client-s3";
import type { S3StreamBody } from "@holdfast/contract";
import type { Clock } from "@holdfast/core";

/** Everything the bridge needs from outside. */
export interface BridgeContext {
  /** A client for one request; its credentials are the request's, else the SDK's own chain. */
  readonly s3Client: (s3: S3StreamBody["s3"]) => S3Client;
  readonly clock: Clock;
}
