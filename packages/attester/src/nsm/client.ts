// The side of the stream inside the keep: an attester that asks the module at the other end. The real module is behind
// an ioctl on /dev/nsm, which Node can't make without native code, and none enters the keep: in a real enclave a relay
// process holds the device and speaks this same stream, message for message the module's own.
import type { Duplex } from "node:stream";
import { messageOf } from "@holdfast/core";
import { type Attester, checkInput, type EvidenceInput } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { encodeFrame, readFrames } from "../frames.ts";
import { encodeAttestationRequest, MAXIMUM_NSM_RESPONSE, parseResponse } from "./messages.ts";

const PATIENCE_MS = 30_000;

/** An attester over a stream to a module; requests go one at a time, since the module numbers none. */
export function nsmOverStream(
  stream: Duplex,
  { timeoutMs = PATIENCE_MS }: { timeoutMs?: number } = {},
): Attester {
  // Errors surface in the exchange they break; without a listener they would end the process.
  stream.on("error", () => undefined);
  const answers = readFrames(stream, MAXIMUM_NSM_RESPONSE);
  let last: Promise<unknown> = Promise.resolve();
  return {
    attest(input) {
      const turn = last.then(() => exchange(stream, answers, input, timeoutMs));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function exchange(
  stream: Duplex,
  answers: AsyncGenerator<Uint8Array>,
  input: EvidenceInput,
  timeoutMs: number,
): Promise<Uint8Array> {
  checkInput(input);
  const timer = setTimeout(
    () => stream.destroy(new Error(`no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    if (stream.destroyed) throw new Error("the stream is closed");
    stream.write(encodeFrame(encodeAttestationRequest(input)));
    const { value, done } = await answers.next();
    if (done || value === undefined) throw new Error("the stream ended");
    const response = parseResponse(value);
    if (response.kind === "attestation") return response.document;
    throw new AttesterError("ATTESTER_REFUSED", `the module refused: ${response.reason}`);
  } catch (cause) {
    if (cause instanceof AttesterError) throw cause;
    throw new AttesterError("ATTESTER_UNREACHABLE", `the module: ${messageOf(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
