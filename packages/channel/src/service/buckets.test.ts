// Token buckets, under a clock of the test's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Buckets } from "./buckets.ts";
import { networkOf } from "./caller-limits.ts";

function buckets(perSecond: number, burst: number) {
  let now = 0;
  const later = (milliseconds: number): void => {
    now += milliseconds;
  };
  const all = new Buckets({ perSecond, burst }, () => now);
  return { all, later };
}

test("so much at once, and so much a second after that", () => {
  const { all, later } = buckets(2, 3);
  const taken = (): boolean[] => [1, 2, 3, 4].map(() => all.take("a").allowed);
  assert.deepEqual(taken(), [true, true, true, false]);
  later(500);
  assert.deepEqual(taken(), [true, false, false, false]);
  later(60_000);
  assert.deepEqual(taken(), [true, true, true, false]);
});

test("each key has its own", () => {
  const { all } = buckets(1, 1);
  assert.ok(all.take("a").allowed);
  assert.ok(!all.take("a").allowed);
  assert.ok(all.take("b").allowed);
});

test("says how long to wait, in whole seconds, and when refusals began", () => {
  const { all, later } = buckets(0.25, 1);
  assert.deepEqual(all.take("a"), { allowed: true, remaining: 0, waitSeconds: 4, refused: 0 });
  later(1500);
  assert.deepEqual(all.take("a"), { allowed: false, remaining: 0, waitSeconds: 3, refused: 1 });
  assert.equal(all.take("a").refused, 2);
  later(2500);
  assert.equal(all.take("a").refused, 0);
});

test("looking takes nothing", () => {
  const { all } = buckets(1, 1);
  for (let i = 0; i < 5; i += 1) assert.ok(all.look("a").allowed);
  assert.ok(all.take("a").allowed);
  assert.ok(!all.look("a").allowed);
});

test("keys without number don't take memory without number, nor anybody else's bucket", () => {
  const { all } = buckets(1, 1);
  all.take("busy");
  for (let i = 0; i < 30_000; i += 1) {
    all.take(`other ${i}`);
    if (i % 5000 === 0) assert.ok(!all.take("busy").allowed);
  }
  // The first of the others is forgotten: its bucket is as good as new.
  assert.ok(all.take("other 0").allowed);
});

test("an address of IPv6 counts as its network", () => {
  assert.equal(networkOf("192.0.2.1"), "192.0.2.1");
  assert.equal(networkOf("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), networkOf("2001:db8:1:2::9"));
  assert.notEqual(networkOf("2001:db8:1:2::9"), networkOf("2001:db8:1:3::9"));
});
