// PEM text (RFC 7468). Stricter: only the label asked for, canonical base64, bounded size.
import { fromBase64, toBase64 } from "./bytes.ts";
import { EncodingError } from "./errors.ts";

const MAXIMUM_TEXT = 1 << 20;

/**
 * One PEM block, lines of 64 characters, ending in a line feed.
 * @param label for example `CERTIFICATE`
 */
export function toPem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * The contents of every block with the label, in order. Text outside the blocks is ignored.
 * White space inside a block may be missing altogether: flattened certificates are in the wild.
 * @throws EncodingError ENCODING_PEM when there is no such block, or one is broken
 */
export function fromPem(label: string, text: string): Uint8Array<ArrayBuffer>[] {
  if (text.length > MAXIMUM_TEXT) {
    throw new EncodingError("ENCODING_PEM", `PEM text longer than ${MAXIMUM_TEXT} characters`);
  }
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let at = text.indexOf(begin);
  while (at >= 0) {
    const stop = text.indexOf(end, at);
    if (stop < 0) throw new EncodingError("ENCODING_PEM", `no end line for ${label}`);
    blocks.push(decodeBlock(text.slice(at + begin.length, stop), label));
    at = text.indexOf(begin, stop);
  }
  if (blocks.length === 0) throw new EncodingError("ENCODING_PEM", `no ${label} block`);
  return blocks;
}

function decodeBlock(body: string, label: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(body.replace(/[\t\n\r ]/g, ""));
  } catch (cause) {
    throw new EncodingError("ENCODING_PEM", `${label} block is not base64`, { cause });
  }
}
