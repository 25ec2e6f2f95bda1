// What can go wrong between a client and a keep.
import { type Check, HoldfastError, unmet } from "@holdfast/core";

/** Codes of channel failures. */
export type ChannelErrorCode =
  | "CHANNEL_IDENTITY"
  | "CHANNEL_UNREACHABLE"
  | "CHANNEL_CLOSED"
  | "CHANNEL_TIMEOUT"
  | "CHANNEL_NOT_PROVEN"
  | "CHANNEL_RECEIPT";

/** A connection that could not be made, was lost, or leads to a keep that does not prove itself. */
export class ChannelError extends HoldfastError {
  declare readonly code: ChannelErrorCode;
  /** For CHANNEL_NOT_PROVEN: every check that was made. */
  readonly checks: readonly Check[];

  constructor(
    code: ChannelErrorCode,
    message: string,
    options: { cause?: unknown; checks?: readonly Check[] } = {},
  ) {
    super(code, message, {
      ...(options.cause === undefined ? {} : { cause: options.cause }),
      details: { checks: unmet(options.checks ?? []).map(({ name }) => name) },
    });
    this.checks = options.checks ?? [];
  }
}
