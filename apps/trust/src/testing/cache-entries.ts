// Entries for a cache of collateral that can be told to be whole: content that follows from name and turn.
import { createHash } from "node:crypto";
import type { KeptAnswer } from "../collateral/disk-cache.ts";

export const ENTRY_NAMES: readonly string[] = [
  "intel /tcb",
  "intel /crl",
  "amd /chain",
  "amd /crl",
];
const LENGTH = 40_000;

/** The entry that a writer leaves under a name in a turn. */
export function entryOf(name: string, turn: number): KeptAnswer {
  return {
    fetchedAt: new Date(turn),
    files: ["document", "issuers"].map((file) => ({
      name: file,
      bytes: bytesOf(name, turn, file),
    })),
  };
}

function bytesOf(name: string, turn: number, file: string): Uint8Array {
  const seed = createHash("sha256").update(`${name} ${turn} ${file}`).digest();
  return Uint8Array.from({ length: LENGTH }, (_, index) => seed[index % seed.length] ?? 0);
}
