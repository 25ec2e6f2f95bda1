// Readers with one fault each, planted to see that fuzzing finds such faults: without them nobody could tell a quiet alarm from
// one that is broken.
import { HoldfastError } from "../../packages/core/src/index.ts";
import type { Reader } from "./evidence-fuzz-parsers.ts";

/** One input in so many shows the fault. */
const SELDOM = 16;

/** Readers by their fault. */
export const PLANTED: Readonly<Record<string, Reader>> = {
  "throws another error": (bytes) => {
    if (isSeldom(bytes)) throw new TypeError("undefined is not a function");
  },
  "takes long": (bytes) => {
    const start = process.threadCpuUsage();
    const spent = (): number => {
      const { user, system } = process.threadCpuUsage(start);
      return (user + system) / 1000;
    };
    while (isSeldom(bytes) && spent() < 300);
  },
  "never ends": (bytes) => {
    for (let turns = 0; isSeldom(bytes); turns += 1) if (turns < 0) break;
  },
  "takes much memory": (bytes) => {
    const kept: number[][] = [];
    while (isSeldom(bytes)) kept.push(Array.from({ length: 100_000 }, (_, index) => index));
  },
};

/** A reader in order, beside them: no alarm may ring for it. */
export const IN_ORDER: Readonly<Record<string, Reader>> = {
  "is in order": (bytes) => {
    if (isSeldom(bytes)) throw new HoldfastError("ENCODING_DER", "not DER");
  },
};

function isSeldom(bytes: Uint8Array): boolean {
  return bytes.reduce((sum, byte) => sum + byte, 1) % SELDOM === 0;
}
