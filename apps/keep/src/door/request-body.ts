// A request's body with a pace: whoever sends slower than the least pace, or stops, is let go, so that nobody holds
// room in the keep by sending nothing.
import type { IncomingMessage } from "node:http";
import { concat } from "@holdfast/core";
import { KeepError } from "../errors.ts";
import type { Body } from "./exchange.ts";

/** How slow a sender may be. */
export interface Pace {
  /** Length of a look, in milliseconds. */
  readonly windowMs: number;
  /** Bytes that must arrive within each. */
  readonly leastBytes: number;
}

/** About as slow as a modem. */
export const DEFAULT_PACE: Pace = { windowMs: 20_000, leastBytes: 8 * 1024 };

/** The body of a request. */
export function bodyOf(request: IncomingMessage, pace: Pace = DEFAULT_PACE): Body {
  return {
    drain: (take) => drain(request, pace, take),
    whole: (maximum) => whole(request, pace, maximum),
  };
}

// Events rather than iteration: a large upload is many small parts, and a promise for each would cost more than TLS.
function drain(
  request: IncomingMessage,
  pace: Pace,
  take: (part: Uint8Array) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let moved = 0;
    const watch = setInterval(() => {
      if (moved < pace.leastBytes) settle(stalled());
      moved = 0;
    }, pace.windowMs);
    const onData = (part: Uint8Array): void => {
      moved += part.length;
      try {
        take(part);
      } catch (thrown) {
        settle(thrown);
      }
    };
    const onEnd = (): void => settle(request.complete ? undefined : broken());
    const onLost = (): void => settle(broken());
    const settle = (fault: unknown): void => {
      clearInterval(watch);
      request.off("data", onData).off("end", onEnd).off("close", onLost).off("error", onLost);
      request.on("error", () => undefined);
      if (fault !== undefined) request.pause();
      if (fault === undefined) resolve();
      else reject(fault);
    };
    if (request.readableEnded) settle(undefined);
    else if (request.destroyed) settle(broken());
    else request.on("data", onData).on("end", onEnd).on("close", onLost).on("error", onLost);
  });
}

async function whole(request: IncomingMessage, pace: Pace, maximum: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  await drain(request, pace, (part) => {
    length += part.length;
    if (length > maximum) {
      throw new KeepError("REQUEST_TOO_LARGE", `the body is over ${maximum} bytes`);
    }
    parts.push(part);
  });
  return concat(...parts);
}

function broken(): KeepError {
  return new KeepError("REQUEST_INVALID", "the body broke off");
}

function stalled(): KeepError {
  return new KeepError("REQUEST_INVALID", "the body comes too slowly");
}
