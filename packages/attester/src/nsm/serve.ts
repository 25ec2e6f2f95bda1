// The side of the stream that holds the module: answers requests one after the other until the stream ends. What can't
// be understood is answered with an error; a broken frame ends the stream.
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "@holdfast/core";
import type { Attester } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { encodeFrame, readFrames } from "../frames.ts";
import {
  encodeResponse,
  MAXIMUM_NSM_REQUEST,
  type NsmResponse,
  parseAttestationRequest,
} from "./messages.ts";

/**
 * Serves a module over a stream.
 * @param onFault told about requests that could not be answered, for the log
 * @returns when the stream has ended; never throws
 */
export async function serveNsm(
  stream: Duplex,
  nsm: Attester,
  onFault: (message: string) => void = () => undefined,
): Promise<void> {
  try {
    // The pipeline reads no further while the other side leaves answers unread.
    await pipeline(
      stream,
      async function* answers(source: AsyncIterable<Uint8Array>) {
        for await (const request of readFrames(source, MAXIMUM_NSM_REQUEST)) {
          yield encodeFrame(encodeResponse(await answer(request, nsm, onFault)));
        }
      },
      stream,
    );
  } catch (thrown) {
    onFault(messageOf(thrown));
  }
}

async function answer(
  request: Uint8Array,
  nsm: Attester,
  onFault: (message: string) => void,
): Promise<NsmResponse> {
  try {
    return { kind: "attestation", document: await nsm.attest(parseAttestationRequest(request)) };
  } catch (thrown) {
    onFault(messageOf(thrown));
    const theirs =
      thrown instanceof AttesterError &&
      (thrown.code === "ATTESTER_PROTOCOL" || thrown.code === "ATTESTER_INPUT");
    return { kind: "error", reason: theirs ? "InvalidArgument" : "InternalError" };
  }
}
