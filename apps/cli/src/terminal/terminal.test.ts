import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { suite, test } from "node:test";
import { Terminal } from "./terminal.ts";

suite("a terminal", () => {
  test("waits for a slow reader", async () => {
    const heard: Buffer[] = [];
    let next: () => void = () => undefined;
    const slow = new Writable({
      highWaterMark: 1,
      write(part: Buffer, _encoding, done) {
        heard.push(part);
        next = done;
      },
    });
    const terminal = new Terminal({ stdout: slow, stderr: slow, json: false, live: false });
    let said = false;
    const saying = terminal.bytes("stdout", new Uint8Array(100)).then(() => {
      said = true;
    });
    await new Promise((turn) => setImmediate(turn));
    assert.equal(said, false);
    next();
    await saying;
    assert.equal(heard.length, 1);
  });

  test("does not wait for a reader that went away", async () => {
    const gone = new Writable({
      highWaterMark: 1,
      write(_part, _encoding, done) {
        done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    gone.on("error", () => undefined);
    const terminal = new Terminal({ stdout: gone, stderr: gone, json: false, live: false });
    await terminal.bytes("stdout", new Uint8Array(100));
    await terminal.bytes("stdout", new Uint8Array(100));
  });
});
