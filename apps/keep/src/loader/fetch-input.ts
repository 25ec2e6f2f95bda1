// The keep's inputs, one at a time, a piece whenever it asks for one: between two pieces nothing is held here but what the
// system holds of the connection.
import { concat } from "@holdfast/core";
import type { RemoteFile } from "@holdfast/oci";

/** Fetches for the keep. */
export interface InputFetcher {
  /** Opens a file, in place of one that is open. @throws SourceError */
  open(untrusted: unknown): Promise<void>;
  /** The next piece as it is sent to the keep; undefined at the end. @throws SourceError */
  next(): Promise<Uint8Array | undefined>;
  close(): void;
}

/** The keep waits for half a minute. */
const PATIENCE_MS = 20_000;
/** Before the bytes of a piece. */
const PIECE: Uint8Array = Uint8Array.of(0x01);

/** @param allow beginnings of URLs that files may come from */
export function newInputFetcher(allow: readonly string[]): InputFetcher {
  let file: RemoteFile | undefined;
  const close = (): void => {
    file?.close();
    file = undefined;
  };
  return {
    async open(untrusted) {
      close();
      const { source, sha256 } = untrusted as { source: string; sha256: string };
      // Most keeps have no inputs, and need none of this in memory.
      const { openRemote } = await import("@holdfast/oci");
      const opening = new AbortController();
      const late = setTimeout(() => opening.abort(), PATIENCE_MS);
      try {
        const config = { allow, silenceMs: PATIENCE_MS };
        file = await openRemote(config, source, sha256, opening.signal);
      } finally {
        clearTimeout(late);
      }
    },
    async next() {
      if (file === undefined) throw new Error("no file is open");
      for (;;) {
        const { done, value } = await file.bytes.next();
        if (done) return undefined;
        if (value.length > 0) return concat(PIECE, value);
      }
    },
    close,
  };
}
