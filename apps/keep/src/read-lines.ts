// Messages one a line, as the control plane tells the loader and the loader tells the keep: JSON has no line feed of its
// own. A line over the bound ends the reading before more of it is kept.
import { concat, toText } from "@holdfast/core";

const LINE_FEED = 0x0a;

/**
 * The lines of a stream until it ends; the last one may lack its line feed.
 * @param most bytes in a line
 * @throws RangeError for a line over the bound; what the stream throws
 */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  most: number,
): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const keep = (part: Uint8Array): void => {
    size += part.length;
    if (size > most) throw new RangeError(`a line of more than ${most} bytes`);
    parts.push(part);
  };
  const line = (): string => {
    const text = toText(concat(...parts));
    parts = [];
    size = 0;
    return text;
  };
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end));
      start = end + 1;
      yield line();
    }
    keep(chunk.subarray(start));
  }
  if (size > 0) yield line();
}
