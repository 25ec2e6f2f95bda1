// However often something happens, the log has a line of it now and then.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../log.ts";
import { TestClock } from "../testing/test-clock.ts";
import { SeldomLog } from "./seldom.ts";

test("each event is said once a second, with how often it was passed over", () => {
  const clock = new TestClock();
  const lines: string[] = [];
  const seldom = new SeldomLog(
    createLog(clock, (line) => {
      const { time: _time, ...rest } = JSON.parse(line);
      lines.push(JSON.stringify(rest));
    }),
    clock,
  );
  for (let count = 0; count < 5; count += 1) seldom.warn("peer-refused");
  seldom.warn("peer-limit", { identity: 1 });
  clock.advance(999);
  seldom.warn("peer-refused");
  clock.advance(1);
  seldom.warn("peer-refused");
  clock.advance(-5000);
  seldom.warn("peer-refused");
  clock.advance(1000);
  seldom.warn("peer-refused");
  assert.deepEqual(lines, [
    '{"level":"warn","event":"peer-refused"}',
    '{"level":"warn","event":"peer-limit","identity":1}',
    '{"level":"warn","event":"peer-refused","passed_over":5}',
    '{"level":"warn","event":"peer-refused"}',
    '{"level":"warn","event":"peer-refused"}',
  ]);
});
