// What the S3 bridge works with.
import type { Clock } from "@holdfast/core";
import type { S3Settings } from "../s3-client.ts";

/** Everything the bridge needs from outside. */
export interface BridgeContext {
  /** Which store. */
  readonly store: S3Settings;
  readonly clock: Clock;
}
