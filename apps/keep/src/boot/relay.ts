// The way to the attestation service: a stream to the loader, which carries requests there and answers back. So the
// keep's process needs no network of its own once its door is open. The loader could alter what it carries; the
// certificate that comes back counts only when it verifies under the policy's anchor and is for the keep's own key.
import type { Duplex } from "node:stream";
import { encodeFrame, readFrames } from "@holdfast/attester";
import { fromText, messageOf, toText } from "@holdfast/core";
import { BootError } from "../errors.ts";

/** What the service answered. */
export interface RelayAnswer {
  readonly status: number;
  readonly body: string;
}

/** Posts JSON to the attestation service. */
export interface Relay {
  /** @throws BootError BOOT_SERVICE */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<RelayAnswer>;
}

/** The longest message either way, in bytes. */
export const MAXIMUM_RELAYED: number = 256 * 1024;
const PATIENCE_MS = 30_000;

/** A relay over a stream; requests go one after the other. */
export function relayOverStream(stream: Duplex): Relay {
  // Errors surface in the exchange they break.
  stream.on("error", () => undefined);
  const answers = readFrames(stream, MAXIMUM_RELAYED);
  let last: Promise<unknown> = Promise.resolve();
  return {
    post(path, body) {
      const turn = last.then(() => exchange(stream, answers, JSON.stringify({ path, body })));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function exchange(
  stream: Duplex,
  answers: AsyncGenerator<Uint8Array>,
  request: string,
): Promise<RelayAnswer> {
  // Answers have no numbers: after a missing one, none can be told from the next.
  const timer = setTimeout(() => stream.destroy(new Error("no answer in time")), PATIENCE_MS);
  try {
    stream.write(encodeFrame(fromText(request)));
    const { value, done } = await answers.next();
    if (done || value === undefined) throw new Error("the loader is gone");
    return readAnswer(toText(value));
  } catch (cause) {
    if (cause instanceof BootError) throw cause;
    throw new BootError("BOOT_SERVICE", `no way to the attestation service: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}

function readAnswer(text: string): RelayAnswer {
  const { status, body, error } = JSON.parse(text) as Record<string, unknown>;
  if (typeof status === "number" && typeof body === "string") return { status, body };
  throw new BootError(
    "BOOT_SERVICE",
    typeof error === "string" ? error.slice(0, 256) : "the loader's answer can't be read",
  );
}
