// Clocks, file times and polling, in both generations of Preview 1.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MODULE_UNSTABLE } from "../module/interface.ts";
import { Probe, RESULT_AT } from "../testing/probe.ts";
import { ERRNO } from "./errno.ts";

const EVENTS_AT = 16_384;
const SUBSCRIPTIONS_AT = 12_288;

/** Polls clocks and descriptors; gives [userdata, errno, tag] of each event. */
function poll(
  probe: Probe,
  subscriptions: readonly (
    | { clock: number; timeout: bigint; absolute?: boolean }
    | { fd: number; tag: number }
  )[],
): number[][] | number {
  const view = new DataView(probe.memory.buffer);
  for (const [index, subscription] of subscriptions.entries()) {
    const at = SUBSCRIPTIONS_AT + index * 48;
    probe.bytes.fill(0, at, at + 48);
    view.setBigUint64(at, BigInt(index + 1), true);
    if ("fd" in subscription) {
      view.setUint8(at + 8, subscription.tag);
      view.setUint32(at + 16, subscription.fd, true);
    } else {
      view.setUint32(at + 16, subscription.clock, true);
      view.setBigUint64(at + 24, subscription.timeout, true);
      view.setUint16(at + 40, subscription.absolute === true ? 1 : 0, true);
    }
  }
  const errno = probe.do(
    "poll_oneoff",
    SUBSCRIPTIONS_AT,
    EVENTS_AT,
    subscriptions.length,
    RESULT_AT,
  );
  if (errno !== 0) return -errno;
  return Array.from({ length: probe.u32(RESULT_AT) }, (_, index) => {
    const at = EVENTS_AT + index * 32;
    return [Number(probe.u64(at)), view.getUint16(at + 8, true), view.getUint8(at + 10)];
  });
}

describe("clocks", () => {
  it("go forward, or stand where they are set", () => {
    const probe = new Probe();
    const read = (id: number): bigint => {
      assert.equal(probe.do("clock_time_get", id, 0n, RESULT_AT), 0);
      return probe.u64(RESULT_AT);
    };
    const [first, second] = [read(1), read(1)];
    assert.ok(second >= first);
    const now = BigInt(Date.now()) * 1_000_000n;
    assert.ok(read(0) > now - 10_000_000_000n && read(0) < now + 10_000_000_000n);
    assert.equal(probe.do("clock_time_get", 4, 0n, RESULT_AT), ERRNO.inval);
    const fixed = new Date("2026-01-02T03:04:05Z");
    const still = new Probe({ clock: { fixed } });
    assert.equal(still.do("clock_time_get", 0, 0n, RESULT_AT), 0);
    assert.equal(still.u64(RESULT_AT), BigInt(fixed.getTime()) * 1_000_000n);
  });

  it("never go back, and are no coarser than they say", () => {
    const probe = new Probe();
    for (const id of [0, 1, 2, 3]) {
      assert.equal(probe.do("clock_res_get", id, RESULT_AT), 0);
      const resolution = probe.u64(RESULT_AT);
      const readings = Array.from({ length: 1000 }, () => {
        // A place that is not aligned, too: the number must come out the same.
        assert.equal(probe.do("clock_time_get", id, 0n, RESULT_AT + 1), 0);
        return probe.u64(RESULT_AT + 1);
      });
      assert.ok(
        readings.every((time, index) => index === 0 || time >= (readings[index - 1] ?? 0n)),
      );
      assert.ok(
        readings.some((time) => time % resolution !== 0n),
        `clock ${id}`,
      );
    }
    for (const id of [4, -1, 0x7fff_ffff]) {
      assert.equal(probe.do("clock_time_get", id, 0n, RESULT_AT), ERRNO.inval);
      assert.equal(probe.do("clock_res_get", id, RESULT_AT), ERRNO.inval);
    }
  });

  it("that stand are moved on by sleeping, which takes no time", () => {
    const probe = new Probe({ clock: { fixed: new Date(0) } });
    assert.deepEqual(poll(probe, [{ clock: 1, timeout: 3_600_000_000_000n }]), [[1, 0, 0]]);
    probe.do("clock_time_get", 1, 0n, RESULT_AT);
    assert.equal(probe.u64(RESULT_AT), 3_600_000_000_000n);
  });
});

describe("polling", () => {
  it("answers for what is ready, without waiting for a clock", () => {
    const probe = new Probe({ files: { "/f": "abc" }, stdin: "in" });
    const fd = probe.open(probe.dir(), "f");
    const events = poll(probe, [
      { clock: 1, timeout: 10n ** 15n },
      { fd, tag: 1 },
      { fd: 1, tag: 2 },
      { fd: 0, tag: 1 },
      { fd: 99, tag: 1 },
    ]);
    assert.deepEqual(events, [
      [2, 0, 1],
      [3, 0, 2],
      [4, 0, 1],
      [5, ERRNO.badf, 1],
    ]);
  });

  it("gives the first of several clocks, and all that are due with it", () => {
    const probe = new Probe({ clock: { fixed: new Date(1000) } });
    const events = poll(probe, [
      { clock: 1, timeout: 5_000_000n },
      { clock: 0, timeout: 2_000_000_000n, absolute: true },
      { clock: 1, timeout: 5_000_000n },
      { clock: 0, timeout: 0n, absolute: true },
    ]);
    assert.deepEqual(events, [[4, 0, 0]]);
  });

  it("refuses nonsense", () => {
    const probe = new Probe();
    assert.equal(poll(probe, []), -ERRNO.inval);
    assert.equal(poll(probe, [{ fd: 1, tag: 7 }]), -ERRNO.inval);
    assert.deepEqual(poll(probe, [{ clock: 9, timeout: 1n }]), [[1, ERRNO.inval, 0]]);
    const off = new Probe({ clock: "off" });
    assert.deepEqual(poll(off, [{ clock: 1, timeout: 1n }]), [[1, ERRNO.acces, 0]]);
    assert.equal(probe.do("poll_oneoff", -8, EVENTS_AT, 1, RESULT_AT), ERRNO.fault);
    assert.equal(probe.do("poll_oneoff", 0, EVENTS_AT, 1_000_000, RESULT_AT), ERRNO.inval);
  });
});

describe("the older generation", () => {
  it("numbers whence otherwise and has a shorter filestat", () => {
    const probe = new Probe({ files: { "/f": "abcdef" }, generation: MODULE_UNSTABLE });
    const fd = probe.open(probe.dir(), "f");
    assert.equal(probe.seek(fd, 2n, 2), 2, "2 sets");
    assert.equal(probe.seek(fd, 1n, 0), 3, "0 moves on");
    assert.equal(probe.seek(fd, -1n, 1), 5, "1 counts from the end");
    probe.bytes.fill(0xee, 4096, 4096 + 64);
    assert.equal(probe.do("fd_filestat_get", fd, 4096), 0);
    assert.equal(probe.u32(4096 + 20), 1, "links");
    assert.equal(probe.u64(4096 + 24), 6n, "size");
    assert.equal(probe.bytes[4096 + 56], 0xee, "nothing behind its 56 bytes");
  });

  it("has longer subscriptions", () => {
    const probe = new Probe({ clock: { fixed: new Date(0) }, generation: MODULE_UNSTABLE });
    const view = new DataView(probe.memory.buffer);
    probe.bytes.fill(0, SUBSCRIPTIONS_AT, SUBSCRIPTIONS_AT + 56);
    view.setBigUint64(SUBSCRIPTIONS_AT, 7n, true);
    view.setBigUint64(SUBSCRIPTIONS_AT + 16, 0xdeadn, true);
    view.setUint32(SUBSCRIPTIONS_AT + 24, 1, true);
    view.setBigUint64(SUBSCRIPTIONS_AT + 32, 5_000n, true);
    assert.equal(probe.do("poll_oneoff", SUBSCRIPTIONS_AT, EVENTS_AT, 1, RESULT_AT), 0);
    assert.equal(probe.u64(EVENTS_AT), 7n);
    assert.equal(probe.do("clock_time_get", 1, 0n, RESULT_AT), 0);
    assert.equal(probe.u64(RESULT_AT), 5_000n);
  });
});
