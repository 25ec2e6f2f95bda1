// Work on instances that others work on, or have removed.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { systemClock } from "@holdfast/core";
import { openStore, type Store } from "@holdfast/store";
import { InstanceWorks } from "./instance-works.ts";

describe("work on an instance", () => {
  let directory: string;
  let store: Store;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "holdfast-works-"));
    store = await openStore({ directory });
  });
  after(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("goes on at once when the instance was removed meanwhile", { timeout: 10_000 }, async () => {
    const works = new InstanceWorks(store.instances, systemClock);
    assert.equal(await works.run("removed", () => Promise.resolve("done")), "done");
    assert.equal(works.isBusy("removed"), false);
  });

  it("is done by one at a time, however many ask at once", { timeout: 10_000 }, async () => {
    const works = new InstanceWorks(store.instances, systemClock);
    let running = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      running += 1;
      assert.equal(running, 1);
      await setImmediate();
      running -= 1;
      done += 1;
    };
    await Promise.all([1, 2, 3].map(() => works.run("removed", work)));
    assert.equal(done, 3);
    assert.equal(works.isBusy("removed"), false);
  });
});
