// Questions to the loader, over a stream: each has one answer, and the next is asked when that has come. The loader is
// untrusted: an answer is bounded, and believed no further than what is in it proves itself.
import type { Duplex } from "node:stream";
import { encodeFrame, readFrames } from "@holdfast/attester";
import { fromText, messageOf, toText } from "@holdfast/core";
import { BootError } from "../errors.ts";

/** Asks the loader. @throws BootError BOOT_SERVICE when no answer comes */
export type LoaderCalls = (question: Readonly<Record<string, unknown>>) => Promise<Uint8Array>;

/** An answer that was to be an object; no member of it is checked. */
export type LoaderAnswer = Readonly<Record<string, unknown>>;

/** The longest answer, in bytes. */
export const MAXIMUM_ANSWER: number = 256 * 1024;
const PATIENCE_MS = 30_000;

/**
 * Calls over a stream.
 * @param patienceMs how long an answer may take
 */
export function callsOverStream(stream: Duplex, patienceMs: number = PATIENCE_MS): LoaderCalls {
  // Errors surface in the exchange they break.
  stream.on("error", () => undefined);
  const answers = readFrames(stream, MAXIMUM_ANSWER);
  let last: Promise<unknown> = Promise.resolve();
  return (question) => {
    const turn = last.then(() => exchange(stream, answers, { question, patienceMs }));
    last = turn.catch(() => undefined);
    return turn;
  };
}

/**
 * An answer in JSON.
 * @throws BootError BOOT_SERVICE when it is anything else
 */
export function readAnswer(bytes: Uint8Array): LoaderAnswer {
  try {
    const value: unknown = JSON.parse(toText(bytes));
    if (typeof value === "object" && value !== null) return value as LoaderAnswer;
  } catch {
    // Said below.
  }
  throw new BootError("BOOT_SERVICE", "the loader's answer can't be read");
}

async function exchange(
  stream: Duplex,
  answers: AsyncGenerator<Uint8Array>,
  { question, patienceMs }: { question: object; patienceMs: number },
): Promise<Uint8Array> {
  // Answers have no numbers: after a missing one, none can be told from the next.
  const timer = setTimeout(() => stream.destroy(new Error("no answer in time")), patienceMs);
  try {
    stream.write(encodeFrame(fromText(JSON.stringify(question))));
    const { value, done } = await answers.next();
    if (done || value === undefined) throw new Error("the loader is gone");
    return value;
  } catch (cause) {
    throw new BootError("BOOT_SERVICE", `no answer from the loader: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}
