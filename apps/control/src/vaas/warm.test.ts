// Keeps that wait, as VaaS has them: how many there may be, and that creations use them. With keeps as processes.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { composeVaasPolicy, parseFunctionPolicy, parseUserPolicy } from "@holdfast/policy";
import type { StoredKeep } from "@holdfast/store";
import { isRunning } from "../keeps/process-mark.ts";
import { eventually, newIdentities, userPolicy, vodFunction } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";
import { WAITING_MIB } from "./warm-room.ts";

const WARM = 2;
const TOTAL = 1000 + 2 * WAITING_MIB;

describe("keeps that wait for VaaS", { concurrency: false }, () => {
  let world: World;
  let identities: Awaited<ReturnType<typeof newIdentities>>;

  before(async () => {
    identities = await newIdentities();
    world = await makeWorld({
      localKeeps: true,
      keepPorts: 3,
      keeps: { warm: WARM, max_memory_mib_total: TOTAL },
    });
    await world.start();
  });
  after(() => world?.close());
  afterEach(async () => {
    world.setFaults({});
    for (const { name, instance_hash } of await living()) {
      await world.vaas.delete(name, { instance_hash });
    }
  });

  const living = async () =>
    (await world.vaas.keeps()).keeps.filter(({ state }) => state !== "ended" && state !== "failed");
  const create = async (memoryMib: number): Promise<StoredKeep> => {
    const asked = composeVaasPolicy({
      functionPolicy: { ...parseFunctionPolicy(vodFunction()), max_memory_mib: memoryMib },
      userPolicy: parseUserPolicy(userPolicy(identities)),
      instanceId: "0",
    });
    // The contract's type has mutable arrays; nothing is changed.
    const body = asked as unknown as Parameters<typeof world.vaas.create>[0];
    const { instance_hash } = await world.vaas.create(body);
    const keep = await world.store().keeps.findByHash("default", instance_hash);
    assert.ok(keep);
    return keep;
  };
  /** When the loader of a keep was started, by its own word. */
  const startOf = ({ id }: StoredKeep): number => {
    const file = join(world.config.data_dir, "keeps", id, "state.json");
    return Date.parse(JSON.parse(readFileSync(file, "utf8")).started_at);
  };
  const waiting = async (): Promise<number> => {
    const metrics = await (await fetch(`${world.vaasUrl}/metrics`)).text();
    return Number(/holdfast_keeps\{state="waiting"\} (\d+)/.exec(metrics)?.[1]);
  };
  const untilWaiting = (count: number): Promise<number> =>
    eventually(waiting, (now) => now === count);

  it("a creation takes one of them, and another one takes its place", async () => {
    await untilWaiting(WARM);
    const keep = await create(1);
    assert.ok(keep.loader);
    assert.equal(keep.state, "serving");
    assert.ok(startOf(keep) < Date.parse(keep.createdAt), "its loader was started for it");
    await untilWaiting(WARM);
  });

  it("they leave memory to keeps that have a policy", async () => {
    await untilWaiting(WARM);
    await create(1000 + WAITING_MIB);
    await untilWaiting(1);
    await create(WAITING_MIB);
    await untilWaiting(0);
    for (const { name, instance_hash } of await living()) {
      await world.vaas.delete(name, { instance_hash });
    }
    await untilWaiting(WARM);
  });

  it("there are no more of them than free ports", async () => {
    await create(1);
    await create(1);
    await untilWaiting(1);
    await create(1);
    await untilWaiting(0);
  });

  it("a bundle that was changed is what the next keep measures to", async () => {
    await untilWaiting(WARM);
    const before = (await create(1)).measurement;
    appendFileSync(world.config.keeps?.bundle ?? "", "// changed\n");
    const afterwards = (await create(1)).measurement;
    assert.notEqual(afterwards, before);
    assert.equal((await create(1)).measurement, afterwards);
  });

  it("one that dies while it is handed over is replaced, at last by one that did not wait", async () => {
    await untilWaiting(WARM);
    world.setFaults({ vanishAtHandOver: true });
    const keep = await create(1);
    assert.equal(keep.state, "serving");
    assert.ok(startOf(keep) >= Date.parse(keep.createdAt), "its loader had waited");
    assert.equal((await living()).length, 1);
    assert.ok(keep.loader && (await isRunning(keep.loader)));
    world.setFaults({});
    await untilWaiting(WARM);
  });

  it("one whose policy ends it for a reason is the answer, and no other is tried", async () => {
    await untilWaiting(WARM);
    world.setFaults({ fail: "no evidence to be had" });
    await assert.rejects(create(1), { code: "KEEP_FAILED", message: /no evidence to be had/ });
    const failed = (await world.vaas.keeps()).keeps.filter(({ state }) => state === "failed");
    assert.equal(failed.length, 1);
  });

  it("keeps come up without any when none comes to waiting", async () => {
    await untilWaiting(WARM);
    world.setFaults({ neverWait: "no evidence" });
    const made = [await create(1), await create(1), await create(1)];
    assert.ok(made.every(({ state }) => state === "serving"));
    assert.equal(await waiting(), 0);
  });
});
