import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, it } from "node:test";
import { eventually } from "../testing/samples.ts";
import { LoaderPool, type WaitingLoader } from "./loader-pool.ts";
import { isRunning } from "./process-mark.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-pool-"));
const loader = join(import.meta.dirname, "../testing/small-loader.ts");
after(() => rmSync(directory, { recursive: true, force: true }));

describe("loaders ahead of need", { concurrency: false }, () => {
  const pools: LoaderPool[] = [];
  const taken: WaitingLoader[] = [];
  const newPool = (size: number): LoaderPool => {
    const pool = new LoaderPool({ loader, directory, size });
    pools.push(pool);
    return pool;
  };
  const take = async (pool: LoaderPool): Promise<WaitingLoader> => {
    const one = await pool.take();
    taken.push(one);
    return one;
  };
  afterEach(async () => {
    for (const pool of pools.splice(0)) pool.close();
    for (const one of taken.splice(0)) one.abandon();
  });

  it("starts one when none waits", async () => {
    const one = await take(newPool(0));
    assert.equal(await isRunning(one.process), true);
  });

  it("gives away one that waits, each once", async () => {
    const pool = newPool(2);
    await pool.fill();
    const pids = [await take(pool), await take(pool), await take(pool)].map(
      (one) => one.process.pid,
    );
    assert.equal(new Set(pids).size, 3);
  });

  it("does not give away one that died while it waited", async () => {
    const pool = newPool(1);
    await pool.fill();
    const [waiting] = pool.waiting;
    assert.ok(waiting);
    process.kill(waiting.pid, "SIGKILL");
    await eventually(
      () => isRunning(waiting),
      (runs) => !runs,
    );
    const one = await take(pool);
    assert.notEqual(one.process.pid, waiting.pid);
    assert.equal(await isRunning(one.process), true);
  });

  it("ends what waits when it closes, and starts no more", async () => {
    const pool = newPool(1);
    await pool.fill();
    const [waiting] = pool.waiting;
    assert.ok(waiting);
    pool.close();
    await eventually(
      () => isRunning(waiting),
      (runs) => !runs,
    );
    await pool.fill();
    assert.deepEqual(pool.waiting, []);
  });

  it("lets a loader end by itself when its input ends untold", async () => {
    const one = await take(newPool(0));
    one.tell("");
    await eventually(
      () => isRunning(one.process),
      (runs) => !runs,
    );
  });
});
