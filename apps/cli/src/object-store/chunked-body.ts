// Bodies as the AWS SDK streams them (content encoding aws-chunked with a trailer): the frames are taken off, and the
// trailing CRC32 is held against the bytes. s3rver would store the frames.
import { Transform, type TransformCallback } from "node:stream";
import { crc32 } from "node:zlib";

/** A body that is not what it says. */
export class BodyMismatch extends Error {}

const MAXIMUM_LINE = 1024;
const MAXIMUM_CHUNK = 64 * 1024 * 1024;

/** Takes the frames off, part by part. */
export class ChunkedBody extends Transform {
  #state: "size" | "data" | "end-of-data" | "trailer" | "done" = "size";
  #line = "";
  #left = 0;
  #crc = 0;

  override _transform(part: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      let at = 0;
      while (at < part.length) at = this.#take(part, at);
      done();
    } catch (thrown) {
      done(thrown as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    const whole = this.#state === "done" || (this.#state === "trailer" && this.#line === "");
    done(whole ? null : new BodyMismatch("the body ends too early"));
  }

  #take(part: Buffer, at: number): number {
    if (this.#state === "data") {
      const end = Math.min(part.length, at + this.#left);
      const data = part.subarray(at, end);
      this.#left -= data.length;
      this.#crc = crc32(data, this.#crc);
      this.push(data);
      if (this.#left === 0) this.#state = "end-of-data";
      return end;
    }
    const feed = part.indexOf(0x0a, at);
    const end = feed < 0 ? part.length : feed + 1;
    this.#line += part.toString("latin1", at, end);
    if (this.#line.length > MAXIMUM_LINE) throw new BodyMismatch("a frame's line is too long");
    if (feed >= 0) {
      const line = this.#line.replace(/\r?\n$/, "");
      this.#line = "";
      this.#readLine(line);
    }
    return end;
  }

  #readLine(line: string): void {
    switch (this.#state) {
      case "size": {
        const [, digits] = /^([0-9a-fA-F]{1,8})(?:;.*)?$/.exec(line) ?? [];
        const size = Number.parseInt(digits ?? "", 16);
        if (Number.isNaN(size) || size > MAXIMUM_CHUNK)
          throw new BodyMismatch("not a frame's size");
        this.#left = size;
        this.#state = size === 0 ? "trailer" : "data";
        return;
      }
      case "end-of-data":
        if (line !== "") throw new BodyMismatch("a frame is longer than its size");
        this.#state = "size";
        return;
      case "trailer":
        if (line === "") this.#state = "done";
        else this.#checkTrailer(line);
        return;
      default:
        throw new BodyMismatch("bytes after the end of the body");
    }
  }

  #checkTrailer(line: string): void {
    const [, base64] = /^x-amz-checksum-crc32:\s*(\S+)$/i.exec(line) ?? [];
    if (base64 === undefined) return;
    const wanted = Buffer.from(base64, "base64");
    if (wanted.length !== 4 || wanted.readUInt32BE() !== this.#crc) {
      throw new BodyMismatch("the bytes do not have the checksum that was sent");
    }
  }
}
