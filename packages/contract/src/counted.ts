// Counts bytes as they leave, for whoever shows progress.

/** Told how many bytes have moved so far. */
export type OnProgress = (bytes: number) => void;

/** The same parts; after each the sum so far is told. */
export async function* counted(
  source: AsyncIterable<Uint8Array>,
  onProgress: OnProgress,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const part of source) {
    yield part;
    sent += part.length;
    onProgress(sent);
  }
}
