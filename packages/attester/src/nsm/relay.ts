// Holds /dev/nsm for others: frames of requests come in, frames of the module's answers go out, byte for byte. Nothing is
// read into them here, so that a keep at the other end speaks with the module itself.
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "@holdfast/core";
import { AttesterError } from "../errors.ts";
import { encodeFrame, readFrames } from "../frames.ts";
import type { NsmDevice } from "./device.ts";
import { encodeResponse, MAXIMUM_NSM_REQUEST } from "./messages.ts";

/**
 * Relays until the requests end.
 * @param onFault told what the driver could not answer, for the log
 * @throws AttesterError ATTESTER_PROTOCOL for a frame over the bound, or one that is cut off
 */
export async function relayNsm(
  requests: Readable,
  answers: Writable,
  device: Pick<NsmDevice, "exchange">,
  onFault: (message: string) => void,
): Promise<void> {
  await pipeline(
    requests,
    async function* answered(source: AsyncIterable<Uint8Array>) {
      for await (const request of readFrames(source, MAXIMUM_NSM_REQUEST)) {
        yield encodeFrame(answer(request, device, onFault));
      }
    },
    answers,
  );
}

/** The module's answer; where the driver gives none, what its own library says then. */
function answer(
  request: Uint8Array,
  device: Pick<NsmDevice, "exchange">,
  onFault: (message: string) => void,
): Uint8Array {
  try {
    return device.exchange(request);
  } catch (thrown) {
    if (!(thrown instanceof AttesterError)) throw thrown;
    onFault(messageOf(thrown));
    const reason = thrown.code === "ATTESTER_INPUT" ? "InputTooLarge" : "InternalError";
    return encodeResponse({ kind: "error", reason });
  }
}
