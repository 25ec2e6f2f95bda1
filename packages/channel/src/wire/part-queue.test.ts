import assert from "node:assert/strict";
import { test } from "node:test";
import { fromText, readBody, toText } from "@holdfast/core";
import { PartQueue } from "./part-queue.ts";

const MIB = 1024 * 1024;

function newQueue(): { queue: PartQueue; calls: string[] } {
  const calls: string[] = [];
  const queue = new PartQueue(
    () => calls.push("room"),
    () => calls.push("left"),
  );
  return { queue, calls };
}

test("parts come in order, before and after the reader does", async () => {
  const { queue, calls } = newQueue();
  queue.push(fromText("a"));
  const whole = readBody(queue, 10);
  await undefined;
  queue.push(fromText("b"));
  queue.push(fromText("c"));
  queue.end();
  assert.equal(toText((await whole)!), "abc");
  assert.deepEqual(calls, []);
});

test("parts that lie side by side become one; others don't", async () => {
  const { queue } = newQueue();
  const memory = fromText("abcdef");
  queue.push(memory.subarray(0, 2));
  queue.push(memory.subarray(2, 4));
  queue.push(memory.subarray(5, 6));
  queue.push(fromText("g"));
  queue.end();
  const parts: string[] = [];
  for await (const part of queue) parts.push(toText(part));
  assert.deepEqual(parts, ["abcd", "f", "g"]);
});

test("a full queue says so, and when there is room again", async () => {
  const { queue, calls } = newQueue();
  queue.push(new Uint8Array(MIB / 2));
  assert.ok(!queue.isFull);
  queue.push(new Uint8Array(MIB / 2));
  assert.ok(queue.isFull);
  await queue.next();
  assert.ok(!queue.isFull);
  await queue.next();
  assert.deepEqual(calls, ["room"]);
});

test("a fault is told after what came before it, and again", async () => {
  const { queue } = newQueue();
  queue.push(fromText("a"));
  queue.fail(new Error("gone"));
  queue.push(fromText("too late"));
  assert.equal((await queue.next()).value?.length, 1);
  await assert.rejects(queue.next(), /gone/);
  await assert.rejects(queue.next(), /gone/);
});

test("whoever waits when it fails or ends is told", async () => {
  for (const [end, expected] of [
    [(queue: PartQueue) => queue.fail(new Error("gone")), "rejected"],
    [(queue: PartQueue) => queue.end(), "fulfilled"],
  ] as const) {
    const { queue } = newQueue();
    const waiting = Promise.allSettled([queue.next(), queue.next()]);
    end(queue);
    assert.ok((await waiting).every(({ status }) => status === expected));
  }
});

test("a reader that leaves is missed once, and not after the end", async () => {
  const { queue, calls } = newQueue();
  queue.push(fromText("a"));
  for await (const _ of queue) break;
  await queue.return();
  assert.equal((await queue.next()).done, true);
  assert.deepEqual(calls, ["left"]);
  const ended = newQueue();
  ended.queue.push(fromText("a"));
  ended.queue.end();
  for await (const _ of ended.queue) break;
  assert.deepEqual(ended.calls, []);
});
