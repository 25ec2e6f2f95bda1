// Keeps that wait: how many, which of them are given away, and what becomes of those that die or are outdated.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import type { ProcessRecord } from "@holdfast/store";
import { eventually } from "../testing/samples.ts";
import { KeepPool, type PoolOptions } from "./keep-pool.ts";
import { LoaderProcess } from "./loader-process.ts";
import { isRunning } from "./process-mark.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-pool-"));
const loader = join(import.meta.dirname, "../testing/small-loader.ts");
const bundle = join(directory, "keep.mjs");
after(() => rmSync(directory, { recursive: true, force: true }));

describe("keeps ahead of need", { concurrency: false }, () => {
  const started: LoaderProcess[] = [];
  const pools: KeepPool[] = [];
  const faults: string[] = [];
  let now = 0;

  beforeEach(() => {
    writeFileSync(bundle, "// measured, not run\n");
    rmSync(join(directory, "faults.json"), { force: true });
    faults.length = 0;
  });
  afterEach(async () => {
    for (const pool of pools.splice(0)) pool.close();
    for (const one of started.splice(0)) {
      one.abandon();
      await gone(one.process);
    }
  });

  const start = async (ahead: boolean): Promise<LoaderProcess> => {
    const platform = { kind: "simulated-nitro", authority_dir: directory };
    const config = { bundle, platform, ahead };
    const one = await LoaderProcess.start({ loader, directory, config });
    started.push(one);
    return one;
  };
  const newPool = (options: Partial<PoolOptions> = {}): KeepPool => {
    const pool = new KeepPool({
      start: () => start(true),
      patienceMs: 60_000,
      onFault: (reason) => faults.push(reason),
      now: () => now,
      ...options,
    });
    pools.push(pool);
    return pool;
  };
  /** What the bundle measures to now. */
  const measured = (): string =>
    createHash("sha384").update(readFileSync(bundle)).digest("hex").slice(0, 64);
  /** Calls upon the pool, as the watch over keeps does, until so many wait. */
  const filled = async (pool: KeepPool, most: number, measurement: string): Promise<void> => {
    await eventually(
      async () => {
        // However slow the machine is, none that starts may become late by it.
        if (pool.size === pool.waiting) now += 500;
        pool.keep(most, measurement);
        return pool.waiting;
      },
      (waiting) => waiting === most,
    );
  };

  it("has none to give before any waits", async () => {
    const pool = newPool();
    assert.equal(await pool.take(measured()), undefined);
  });

  it("gives away those that wait, each once, and starts others in their place", async () => {
    const pool = newPool();
    const measurement = measured();
    await filled(pool, 2, measurement);
    const taken = [await pool.take(measurement), await pool.take(measurement)];
    assert.equal(await pool.take(measurement), undefined);
    assert.equal(new Set(taken.map((one) => one?.process.pid)).size, 2);
    for (const one of taken) assert.equal(one?.state?.state, "waiting");
    await filled(pool, 2, measurement);
  });

  it("starts none while one that was just taken comes up", async () => {
    const pool = newPool();
    const measurement = measured();
    await filled(pool, 1, measurement);
    await pool.take(measurement);
    pool.keep(1, measurement);
    assert.equal(pool.size, 0);
    now += 500;
    pool.keep(1, measurement);
    assert.equal(pool.size, 1);
  });

  it("gives away one that still starts rather than have another started", async () => {
    const pool = newPool();
    const measurement = measured();
    pool.keep(1, measurement);
    const one = await eventually(
      () => pool.take(measurement),
      (taken) => taken !== undefined,
    );
    assert.ok(one);
  });

  it("never gives away one of another measurement, and ends it", async () => {
    const pool = newPool();
    const before = measured();
    await filled(pool, 1, before);
    const [old] = started.slice(-1);
    assert.ok(old);
    appendFileSync(bundle, "// another\n");
    const afterwards = measured();
    assert.notEqual(afterwards, before);
    assert.equal(await pool.take(afterwards), undefined);
    await filled(pool, 1, afterwards);
    await gone(old.process);
    assert.equal(await pool.take(before), undefined);
    assert.notEqual(await pool.take(afterwards), undefined);
  });

  it("tells of one that measures to something else than was expected, and waits before the next", async () => {
    const pool = newPool();
    const other = "ab".repeat(32);
    await eventually(
      async () => {
        pool.keep(1, other);
        return faults;
      },
      ({ length }) => length > 0,
    );
    assert.deepEqual(faults, [`it measures to ${measured()}`]);
    assert.equal(pool.size, 0);
    now += 1000;
    pool.keep(1, other);
    assert.equal(pool.size, 1);
  });

  it("replaces one that died while it waited, and never gives it away", async () => {
    const pool = newPool();
    const measurement = measured();
    await filled(pool, 1, measurement);
    const waiting = started.at(-1)?.process;
    assert.ok(waiting);
    process.kill(waiting.pid, "SIGKILL");
    await gone(waiting);
    assert.equal(await pool.take(measurement), undefined);
    await filled(pool, 1, measurement);
    const one = await pool.take(measurement);
    assert.notEqual(one?.process.pid, waiting.pid);
  });

  it("tells why one does not come to waiting, and does not try again at once", async () => {
    writeFileSync(join(directory, "faults.json"), JSON.stringify({ neverWait: "no evidence" }));
    const pool = newPool();
    pool.keep(1, "measurement");
    await eventually(
      async () => faults,
      (told) => told.length === 1,
    );
    assert.deepEqual(faults, ["no evidence"]);
    pool.keep(1, "measurement");
    assert.equal(pool.size, 0);
    now += 1000;
    pool.keep(1, "measurement");
    assert.equal(pool.size, 1);
  });

  it("notices one that had died before it was in the pool", async () => {
    const pool = newPool({
      async start() {
        const one = await start(true);
        process.kill(one.process.pid, "SIGKILL");
        await eventually(
          async () => one.isGone,
          (isGone) => isGone,
        );
        return one;
      },
    });
    pool.keep(1, "measurement");
    await eventually(
      async () => faults,
      (told) => told.length === 1,
    );
    assert.equal(pool.size, 0);
  });

  it("gives up on one that is not ready in time", async () => {
    const pool = newPool({ start: () => start(false), patienceMs: 5000 });
    const measurement = measured();
    pool.keep(1, measurement);
    await eventually(
      async () => started.at(-1)?.state?.state,
      (state) => state === "starting",
    );
    const slow = started.at(-1)?.process;
    now += 5001;
    pool.keep(1, measurement);
    assert.equal(faults.length, 1);
    assert.ok(slow);
    await gone(slow);
  });

  it("ends those that are too many", async () => {
    const pool = newPool();
    const measurement = measured();
    await filled(pool, 2, measurement);
    pool.keep(1, measurement);
    assert.equal(pool.waiting, 1);
    pool.keep(0, measurement);
    assert.equal(pool.waiting, 0);
    for (const { process } of started) await gone(process);
  });

  it("ends those that wait when it closes, and starts no more", async () => {
    const pool = newPool();
    const measurement = measured();
    await filled(pool, 1, measurement);
    pool.close();
    for (const { process } of started) await gone(process);
    pool.keep(1, measurement);
    assert.equal(pool.size, 0);
    assert.equal(await pool.take(measurement), undefined);
  });

  it("a loader is assigned once", async () => {
    const one = await start(true);
    one.assign({});
    assert.throws(() => one.assign({}), /already/);
  });
});

async function gone(target: ProcessRecord): Promise<void> {
  await eventually(
    () => isRunning(target),
    (runs) => !runs,
  );
}
