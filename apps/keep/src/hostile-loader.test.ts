// A loader that does not do what it should: the input fails, nothing becomes a file, and the keep serves on.
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { encodeFrame, readFrames } from "@holdfast/attester";
import { concat, fromText, toText } from "@holdfast/core";
import { callsOverStream, MAXIMUM_ANSWER } from "./boot/loader-calls.ts";
import { sha256, waysOver } from "./testing/input-host.ts";
import type { TestClock } from "./testing/test-clock.ts";
import { startTestKeep } from "./testing/test-keep.ts";
import { READ } from "./testing/test-policy.ts";

const PLAIN = fromText("what the policy says");
const PIECE = Uint8Array.of(1);

/** What the loader sends when it is asked that; undefined: nothing. */
type Answer = (
  question: "fetch" | "more" | "close",
  stream: Duplex,
  clock: TestClock,
) => Uint8Array | undefined;

const json = (value: unknown): Uint8Array => encodeFrame(fromText(JSON.stringify(value)));
const opened = json({ open: true });

/** Opens as it should, then answers `more` with that. */
function thenSends(more: Uint8Array | undefined): Answer {
  return (question) => (question === "more" ? more : opened);
}

/** Whole pieces in turn, the last one again and again. */
function sends(...pieces: readonly Uint8Array[]): Answer {
  const left = [...pieces];
  return (question) => {
    if (question === "fetch") left.splice(0, left.length, ...pieces);
    if (question !== "more") return opened;
    return left.length > 1 ? left.shift() : left[0];
  };
}

async function serve(stream: Duplex, answer: Answer, clock: TestClock): Promise<void> {
  for await (const frame of readFrames(stream, 2 ** 20)) {
    const question = JSON.parse(toText(frame)) as object;
    const name = (["fetch", "more", "close"] as const).find((each) =>
      Object.hasOwn(question, each),
    );
    const sent = answer(name ?? "close", stream, clock);
    if (sent !== undefined && !stream.destroyed) stream.write(sent);
  }
}

/** The input as it stands once the keep has given up or has it; the keep answers all the while. */
async function outcome(
  answer: Answer,
  patienceMs = 30_000,
): Promise<{ state: string; reason: string }> {
  const input = {
    path: "/in/x",
    source: "https://host/x",
    sha256: sha256(PLAIN),
    size: PLAIN.length,
  };
  const keep = await startTestKeep({
    rights: [{ "/in/": READ }],
    fileHashes: { "/in/x": sha256(PLAIN) },
    terms: { inputs: [input] },
  });
  try {
    const [ours, theirs] = duplexPair();
    theirs.on("error", () => undefined);
    serve(theirs, answer, keep.clock).catch(() => undefined);
    const ways = waysOver(callsOverStream(ours, patienceMs), keep.policy.text, { attempts: 2 });
    const client = await keep.client();
    const fetched = keep.keep.fetchInputs(ways);
    await client.status();
    await fetched;
    const { inputs = [], storage } = await client.status();
    const [{ state, reason = "" } = { state: "none" }] = inputs;
    assert.equal(storage?.used_bytes, state === "ready" ? PLAIN.length : 0);
    return { state, reason };
  } finally {
    await keep.close();
  }
}

const end = json({ end: true });
const CASES: readonly (readonly [name: string, answer: Answer, reason: RegExp])[] = [
  ["never answers", () => undefined, /no answer in time|the loader is gone/],
  ["opens, then stalls", thenSends(undefined), /no answer in time|the loader is gone/],
  [
    "ends in the middle",
    (question, stream) => {
      if (question === "more") stream.end();
      return question === "more" ? undefined : opened;
    },
    /the loader is gone|cut off/,
  ],
  [
    "answers an attestation instead",
    (question) => (question === "fetch" ? json({ status: 201, body: "{}" }) : opened),
    /^INPUT_SOURCE_FAILED: the loader's answer (is none|can't be read)/,
  ],
  [
    "answers no JSON",
    (question) => (question === "fetch" ? encodeFrame(fromText("{")) : opened),
    /^INPUT_SOURCE_FAILED: the loader's answer (is none|can't be read)/,
  ],
  [
    "sends a frame of no kind",
    thenSends(encodeFrame(Uint8Array.of(2, 3))),
    /^INPUT_SOURCE_FAILED: the loader's answer (is none|can't be read)/,
  ],
  [
    "sends an empty frame",
    thenSends(encodeFrame(new Uint8Array())),
    /^INPUT_SOURCE_FAILED: the loader's answer (is none|can't be read)/,
  ],
  [
    "sends pieces of nothing",
    thenSends(encodeFrame(PIECE)),
    /^INPUT_SOURCE_FAILED: the loader's answer (is none|can't be read)/,
  ],
  [
    "sends an object of no kind",
    thenSends(json({ open: true })),
    /^INPUT_SOURCE_FAILED: the loader's answer (is none|can't be read)/,
  ],
  [
    "sends a frame over the bound",
    thenSends(encodeFrame(new Uint8Array(MAXIMUM_ANSWER + 1))),
    /the loader is gone/,
  ],
  [
    "sends a byte now and then",
    (question, _stream, clock) => {
      clock.advance(21_000);
      return question === "more" ? encodeFrame(concat(PIECE, PLAIN.subarray(0, 1))) : opened;
    },
    /^INPUT_SOURCE_FAILED: it comes too slowly/,
  ],
  [
    "sends the same piece for ever",
    sends(encodeFrame(concat(PIECE, PLAIN))),
    /^INPUT_MISMATCH: more than/,
  ],
  [
    "ends before the end",
    sends(encodeFrame(concat(PIECE, PLAIN.subarray(1))), end),
    /^INPUT_MISMATCH/,
  ],
  [
    "sends other bytes",
    sends(encodeFrame(concat(PIECE, fromText("what the loader says"))), end),
    /^INPUT_MISMATCH/,
  ],
  [
    "says what would move a cursor",
    (question) => (question === "fetch" ? json({ error: "\u001b[2Jx\u202e" }) : opened),
    /^INPUT_SOURCE_FAILED: \?\[2Jx\?$/,
  ],
];

for (const [name, answer, reason] of CASES) {
  test(`a loader that ${name}`, async () => {
    const { state, reason: given } = await outcome(
      answer,
      /never|stalls/.test(name) ? 300 : undefined,
    );
    assert.equal(state, "failed");
    assert.match(given, reason);
  });
}

test("a loader that does as it should", async () => {
  const parts = [PLAIN.subarray(0, 3), PLAIN.subarray(3)];
  const pieces = parts.map((part) => encodeFrame(concat(PIECE, part)));
  assert.equal((await outcome(sends(...pieces, end))).state, "ready");
});
