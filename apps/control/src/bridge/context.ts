// What the S3 bridge works with.
import type { Clock } from "@holdfast/core";
import type { S3Settings } from "../s3-client.ts";

/** Everything the bridge needs from outside. */
export interface BridgeContext {
  /** Which store. */
  readonly store: S3Settings;
  /** How long a stream from the store or to the keep may stand still. */
  readonly silenceMs: number;
  readonly clock: Clock;
}
