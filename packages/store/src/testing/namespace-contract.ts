// The part of the contract about namespaces: rooms that know nothing of each other.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Store } from "../index.ts";
import type { WithStore } from "./contract-options.ts";
import { AT, conflict, LATER, NAMESPACE, newFunction, newInstance, newKeep } from "./records.ts";

/** Adds its tests. */
export function namespaceContract(withStore: WithStore): void {
  const withTeam = (work: (store: Store) => Promise<void>): (() => Promise<void>) =>
    withStore(async (store) => {
      await store.namespaces.create({ name: "team", quotas: {}, createdAt: AT });
      await work(store);
    });

  it(
    "has the namespace default from the start",
    withStore(async (store) => {
      assert.deepEqual(
        (await store.namespaces.list()).map(({ name }) => name),
        [NAMESPACE],
      );
    }),
  );

  it(
    "gives namespaces back as they were stored, in order of names",
    withTeam(async (store) => {
      const quotas = { functions: 1, instances: 2, bytes: 2 ** 40, memoryMib: 4 };
      const area = { name: "area", quotas, createdAt: AT };
      await store.namespaces.create(area);
      await assert.rejects(store.namespaces.create(area), conflict);
      assert.deepEqual(await store.namespaces.find("area"), area);
      assert.equal(await store.namespaces.find("nobody"), undefined);
      const names = (await store.namespaces.list()).map(({ name }) => name);
      assert.deepEqual(names, ["area", NAMESPACE, "team"]);
    }),
  );

  it(
    "keeps functions, instances and keeps of one name in two namespaces apart",
    withTeam(async (store) => {
      for (const namespace of [NAMESPACE, "team"]) {
        const idempotencyKey = "same";
        await store.functions.create({ ...newFunction("vod", ["/a"], namespace), idempotencyKey });
        await store.instances.create(newInstance("0", [], { namespace, idempotencyKey }));
        const port = namespace === "team" ? 2 : 1;
        await store.keeps.create(newKeep(port, { namespace, requestKey: "same" }));
      }
      const mine = await store.functions.find("team", "vod");
      assert.equal(mine?.namespace, "team");
      assert.equal((await store.functions.findByIdempotencyKey("team", "same"))?.id, mine?.id);
      assert.deepEqual(
        (await store.functions.listIn("team")).map(({ id }) => id),
        [mine?.id],
      );
      const instance = await store.instances.find("team", "0");
      assert.equal(instance?.namespace, "team");
      const again = await store.instances.findByIdempotencyKey("team", "same");
      assert.equal(again?.key, instance?.key);
      assert.equal((await store.instances.listIn("team")).length, 1);
      assert.equal((await store.instances.living()).length, 2);
      const keep = await store.keeps.findByRequestKey("team", "same");
      assert.deepEqual(
        (await store.keeps.listIn("team")).map(({ port }) => port),
        [keep?.port],
      );
      assert.equal((await store.keeps.list()).length, 2);
      assert.equal(await store.functions.remove("team", "vod", LATER), true);
      assert.notEqual(await store.functions.find(NAMESPACE, "vod"), undefined);
    }),
  );

  it(
    "gives no port of one namespace to another",
    withTeam(async (store) => {
      await store.keeps.create(newKeep(3014));
      await assert.rejects(store.keeps.create(newKeep(3014, { namespace: "team" })), conflict);
    }),
  );

  it(
    "numbers each namespace's events by themselves, without gaps for those of others",
    withTeam(async (store) => {
      const instance = newInstance("0", [], { namespace: "team" });
      await store.instances.create(newInstance("other"));
      await store.instances.create(instance);
      await store.instances.move(instance.key, ["requested"], "starting", LATER);
      const filter = { after: 0, limit: 10 };
      const mine = await store.events.list({ ...filter, namespace: "team" });
      assert.deepEqual(
        mine.map(({ seq, subject, state }) => `${seq} ${subject} ${state}`),
        ["1 0 requested", "2 0 starting"],
      );
      assert.equal(await store.events.last("team"), 2);
      assert.equal(await store.events.last(NAMESPACE), 1);
      assert.equal(await store.events.last("nobody"), 0);
      await store.events.trim(1);
      assert.equal((await store.events.list({ ...filter, namespace: "team" })).length, 1);
      assert.equal((await store.events.list({ ...filter, namespace: NAMESPACE })).length, 1);
    }),
  );

  it(
    "numbers events without gaps, whoever writes at once",
    withTeam(async (store) => {
      const all = Array.from({ length: 20 }, (_, index) => newInstance(`${index}`));
      await Promise.all(all.map((each) => store.instances.create(each)));
      await Promise.all([
        ...all.map(({ key }) => store.instances.move(key, ["requested"], "failed", LATER)),
        ...all.map(({ key }) => store.instances.remove(key, LATER)),
      ]);
      const events = await store.events.list({ namespace: NAMESPACE, after: 0, limit: 1000 });
      assert.deepEqual(
        events.map(({ seq }) => seq),
        events.map((_, index) => index + 1),
      );
      assert.ok(events.length >= 40);
    }),
  );

  it(
    "writes nothing into a namespace that is not there",
    withStore(async (store) => {
      const namespace = "nobody";
      const unknown = { code: "STORE_NAMESPACE" };
      await assert.rejects(store.functions.create(newFunction("a", [], namespace)), unknown);
      await assert.rejects(store.instances.create(newInstance("0", [], { namespace })), unknown);
      await assert.rejects(store.keeps.create(newKeep(1, { namespace })), unknown);
      assert.deepEqual(await store.instances.living(), []);
    }),
  );

  it(
    "removes an empty namespace with what it remembers, and no other",
    withTeam(async (store) => {
      const { namespaces, functions, instances, keeps } = store;
      assert.equal(await namespaces.remove("nobody"), "missing");
      await functions.create(newFunction("vod", [], "team"));
      assert.equal(await namespaces.remove("team"), "used");
      await functions.remove("team", "vod", LATER);
      const instance = newInstance("0", [], { namespace: "team" });
      await instances.create(instance);
      assert.equal(await namespaces.remove("team"), "used");
      await instances.move(instance.key, ["requested"], "ended", LATER);
      const keep = newKeep(1, { namespace: "team" });
      await keeps.create(keep);
      assert.equal(await namespaces.remove("team"), "used");
      assert.notEqual(await instances.find("team", "0"), undefined);
      await keeps.close(keep.id, "ended", "", LATER);
      assert.equal(await namespaces.remove("team"), "removed");
      assert.equal(await namespaces.find("team"), undefined);
      assert.equal(await instances.findByKey(instance.key), undefined);
      await namespaces.create({ name: "team", quotas: {}, createdAt: LATER });
      assert.deepEqual(await store.events.list({ namespace: "team", after: 0, limit: 9 }), []);
    }),
  );

  it(
    "leaves nothing in a namespace that is removed while something is made in it",
    withTeam(async (store) => {
      const outcomes = await Promise.allSettled([
        store.functions.create(newFunction("vod", [], "team")),
        store.namespaces.remove("team"),
      ]);
      const [made, removed] = outcomes;
      const isThere = (await store.functions.find("team", "vod")) !== undefined;
      assert.equal(isThere, made.status === "fulfilled");
      assert.equal(removed.status === "fulfilled" && removed.value, isThere ? "used" : "removed");
    }),
  );
}
