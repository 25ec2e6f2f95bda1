// What every store must do, whatever engine is below: one suite, run by each of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InstanceFilter, StoreError } from "../index.ts";
import { type ContractOptions, withStoreOf } from "./contract-options.ts";
import { namespaceContract } from "./namespace-contract.ts";
import { quotaContract } from "./quota-contract.ts";
import {
  AT,
  bytes,
  conflict,
  digestOf,
  file,
  LATER,
  load,
  NAMESPACE,
  newFunction,
  newInstance,
  newKeep,
} from "./records.ts";
import { versionContract } from "./version-contract.ts";

/** Runs the suite. */
export function storeContract(engine: string, options: ContractOptions): void {
  const withStore = withStoreOf(options);

  describe(`store on ${engine}`, { skip: options.skip ?? false, concurrency: false }, () => {
    it(
      "gives functions back as they were stored, in order of names",
      withStore(async (store) => {
        await store.functions.create(newFunction("vod"));
        await store.functions.create(newFunction("åäö / ☃"));
        await store.functions.create(newFunction("and"));
        const names = (await store.functions.listIn(NAMESPACE)).map(({ name }) => name);
        assert.deepEqual(new Set(names), new Set(["vod", "åäö / ☃", "and"]));
        assert.equal((await store.functions.find(NAMESPACE, "åäö / ☃"))?.name, "åäö / ☃");
        assert.equal(await store.functions.find(NAMESPACE, "nobody"), undefined);
      }),
    );

    it(
      "refuses a second function of a name and keeps the first",
      withStore(async (store) => {
        const first = newFunction("vod");
        await store.functions.create(first);
        await assert.rejects(store.functions.create(newFunction("vod", ["/other"])), conflict);
        const found = await store.functions.find(NAMESPACE, "vod");
        assert.equal(found?.head.definition, first.revision.definition);
      }),
    );

    it(
      "forgets a function's files with it",
      withStore(async (store) => {
        const vod = newFunction("vod");
        await store.functions.create(vod);
        assert.equal(await store.functions.addFile(vod.revision.id, file("/a"), AT), "stored");
        await assert.rejects(store.functions.addFile(vod.revision.id, file("/a"), AT), conflict);
        assert.deepEqual(await store.functions.files(vod.revision.id), [file("/a")]);
        assert.equal(await store.functions.remove(NAMESPACE, "vod", LATER), true);
        assert.equal(await store.functions.remove(NAMESPACE, "vod", LATER), false);
        assert.deepEqual(await store.functions.files(vod.revision.id), []);
        assert.equal(await store.functions.addFile(vod.revision.id, file("/a"), AT), "gone");
      }),
    );

    it(
      "keeps sizes beyond 32 bits exact",
      withStore(async (store) => {
        const vod = newFunction("vod");
        await store.functions.create(vod);
        const large = { ...file("/large"), size: 2 ** 40 + 1 };
        await store.functions.addFile(vod.revision.id, large, AT);
        assert.deepEqual(await store.functions.files(vod.revision.id), [large]);
      }),
    );

    it(
      "moves an instance only from a state that allows it",
      withStore(async (store) => {
        const instance = newInstance("0");
        await store.instances.create(instance);
        const { key } = instance;
        assert.equal(await store.instances.move(key, ["requested"], "starting", LATER), true);
        assert.equal(await store.instances.move(key, ["requested"], "ready", LATER), false);
        const change = { policy: "text", keepName: "name", keepHash: "hash" };
        assert.equal(
          await store.instances.move(key, ["starting"], "attested", LATER, change),
          true,
        );
        const found = await store.instances.find(NAMESPACE, "0");
        assert.equal(found?.state, "attested");
        assert.equal(found?.policy, "text");
        assert.equal(found?.keepHash, "hash");
        assert.equal(found?.updatedAt, LATER);
      }),
    );

    it(
      "refuses an instance id in use, and takes it once the instance is over",
      withStore(async (store) => {
        const first = newInstance("0");
        await store.instances.create(first);
        await assert.rejects(store.instances.create(newInstance("0")), conflict);
        await store.instances.move(first.key, ["requested"], "failed", LATER, { reason: "why" });
        assert.equal((await store.instances.find(NAMESPACE, "0"))?.reason, "why");
        const second = newInstance("0");
        await store.instances.create(second);
        assert.equal((await store.instances.find(NAMESPACE, "0"))?.key, second.key);
        assert.equal(await store.instances.findByKey(first.key), undefined);
      }),
    );

    it(
      "gives loads in order of priority, then of definition",
      withStore(async (store) => {
        const instance = newInstance("0", [
          load("/late", 99, 0),
          load("/early", -5, 2),
          load("/also", -5, 1),
        ]);
        await store.instances.create(instance);
        await store.instances.markLoaded(instance.key, "/early");
        const loads = await store.instances.loads(instance.key);
        assert.deepEqual(
          loads.map(({ path, loaded }) => `${path} ${loaded}`),
          ["/also false", "/early true", "/late false"],
        );
      }),
    );

    it(
      "lists instances with sums of their loads",
      withStore(async (store) => {
        const one = newInstance("1", [load("/a", 0, 0), load("/b", 0, 1)]);
        const none = newInstance("2", []);
        for (const each of [one, none]) await store.instances.create(each);
        const [{ size = 0 } = {}] = await store.instances.loads(one.key);
        await store.instances.markLoaded(one.key, "/a");
        await store.instances.move(none.key, ["requested"], "failed", LATER, {
          reason: "for a test",
        });
        const list = async (filter?: InstanceFilter): Promise<string[]> =>
          (await store.instances.listIn(NAMESPACE, filter))
            .map(({ id, bytes, loadedBytes, reason }) => `${id} ${loadedBytes}/${bytes} ${reason}`)
            .sort();
        const [first, second] = [`1 ${size}/${2 * size} undefined`, "2 0/0 for a test"];
        assert.deepEqual(await list(), [first, second]);
        assert.deepEqual(await list({ state: "failed" }), [second]);
        assert.deepEqual(await list({ functionName: one.functionName }), [first, second]);
        assert.deepEqual(await list({ functionName: "another" }), []);
        const expected = { state: "requested" as const, functionName: one.functionName };
        assert.deepEqual(await list(expected), [first]);
      }),
    );

    it(
      "tells instances that are over from others, and counts all",
      withStore(async (store) => {
        const [one, two] = [newInstance("1", []), newInstance("2", [])];
        for (const each of [one, two]) await store.instances.create(each);
        await store.instances.move(one.key, ["requested"], "failed", LATER);
        assert.deepEqual(await store.instances.livingIds(NAMESPACE), ["2"]);
        assert.deepEqual(await store.instances.livingIds("another"), []);
        assert.deepEqual(await store.instances.living(), [
          await store.instances.findByKey(two.key),
        ]);
        const counts = new Map([
          ["requested", 1],
          ["failed", 1],
        ]);
        assert.deepEqual(await store.instances.counts(), counts);
      }),
    );

    it(
      "never gives one port to two keeps",
      withStore(async (store) => {
        const attempts = Array.from({ length: 20 }, () => store.keeps.create(newKeep(3014)));
        const outcomes = await Promise.allSettled(attempts);
        assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
        for (const each of outcomes)
          if (each.status === "rejected") assert.ok(conflict(each.reason));
        assert.deepEqual(await store.keeps.usedPorts("127.0.0.1"), new Set([3014]));
        // Another host's port of the same number is another port.
        await store.keeps.create(newKeep(3014, { host: "127.0.0.2" }));
      }),
    );

    it(
      "frees the port of a keep that is over, and remembers why",
      withStore(async (store) => {
        const keep = newKeep(3014, { requestKey: "key" });
        await store.keeps.create(keep);
        assert.equal(await store.keeps.close(keep.id, "ended", "shut down", LATER), true);
        assert.equal(await store.keeps.close(keep.id, "failed", "again", LATER), false);
        await store.keeps.create(newKeep(3014, { requestKey: "key" }));
        const old = await store.keeps.find(keep.id);
        assert.equal(`${old?.state} ${old?.reason} ${old?.port}`, "ended shut down undefined");
        assert.equal((await store.keeps.findByRequestKey(NAMESPACE, "key"))?.state, "requested");
        assert.equal(
          await store.keeps.move(keep.id, ["requested", "serving"], "serving", LATER),
          false,
        );
      }),
    );

    it(
      "keeps all memory within its budget, whoever asks at once",
      withStore(async (store) => {
        const attempts = Array.from({ length: 10 }, (_, index) =>
          store.keeps.create(newKeep(4000 + index, { maxMemoryMib: 300 }), 1000),
        );
        const outcomes = await Promise.allSettled(attempts);
        assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 3);
        for (const each of outcomes) {
          if (each.status === "rejected")
            assert.equal((each.reason as StoreError).code, "STORE_FULL");
        }
        assert.equal((await store.keeps.usedPorts("127.0.0.1")).size, 3);
      }),
    );

    it("knows a keep's processes and platform again after it was closed and opened", async () => {
      await options.clear();
      const keep = newKeep(3014, { instanceId: "0" });
      const facts = {
        loader: { pid: 12, mark: "34" },
        keep: { pid: 56, mark: "78" },
        platform: "simulated-nitro",
        simulated: true,
        measurement: "ab",
      };
      const first = await options.open();
      await first.keeps.create(keep);
      await first.keeps.move(keep.id, ["requested"], "serving", LATER, facts);
      await first.close();
      const second = await options.open();
      try {
        const { requestKey: _, ...rest } = keep;
        assert.deepEqual(await second.keeps.find(keep.id), {
          ...rest,
          ...facts,
          state: "serving",
          updatedAt: LATER,
        });
      } finally {
        await second.close();
      }
    });

    it(
      "tells living keeps from those that are over, and the newest of a hash from earlier ones",
      withStore(async (store) => {
        const [over, living] = [newKeep(1), newKeep(2, { createdAt: LATER })];
        for (const keep of [living, over]) await store.keeps.create(keep);
        await store.keeps.close(over.id, "failed", "", LATER);
        assert.deepEqual(
          (await store.keeps.living()).map(({ id }) => id),
          [living.id],
        );
        assert.equal((await store.keeps.list()).length, 2);
        assert.equal((await store.keeps.findByHash(NAMESPACE, "ab"))?.id, living.id);
        assert.equal(await store.keeps.findByHash(NAMESPACE, "cd"), undefined);
      }),
    );

    it(
      "forgets what is over and old, nothing else",
      withStore(async (store) => {
        const [old, recent, living] = [newKeep(1), newKeep(2), newKeep(3)];
        for (const keep of [old, recent, living]) await store.keeps.create(keep);
        await store.keeps.close(old.id, "ended", "", AT);
        await store.keeps.close(recent.id, "ended", "", LATER);
        assert.deepEqual(await store.keeps.forget(LATER), [old.id]);
        const instance = newInstance("0");
        await store.instances.create(instance);
        assert.equal(await store.instances.forget("2027"), 0);
        await store.instances.move(instance.key, ["requested"], "ended", AT);
        assert.equal(await store.instances.forget(LATER), 1);
      }),
    );

    it(
      "changes an instance for nobody who has lost the lease of it",
      withStore(async (store) => {
        const { instances } = store;
        const lease = { owner: "first", until: LATER };
        const { key, ...rest } = newInstance("0");
        await instances.create({ key, ...rest, lease });
        const start = (by: string): Promise<boolean> =>
          instances.move(key, ["requested", "starting"], "starting", AT, { by });
        assert.equal(await start("first"), true);
        const times = { now: "2026-01-02T03:05:01.000Z", until: "2026-01-02T03:06:00.000Z" };
        assert.equal(await instances.claim(key, "second", times), true);
        assert.equal(await start("first"), false);
        const failed = { reason: "late", finalState: "failed", by: "first" } as const;
        assert.equal(await instances.move(key, ["starting"], "ending", AT, failed), false);
        assert.equal((await instances.findByKey(key))?.state, "starting");
        assert.equal(await start("second"), true);
        // Whoever deletes it needs no lease.
        assert.equal(await instances.move(key, ["starting"], "ending", AT), true);
      }),
    );

    it(
      "tells the files of many revisions at once",
      withStore(async ({ functions }) => {
        const all = [newFunction("one"), newFunction("two"), newFunction("three")];
        for (const each of all) await functions.create(each);
        const [one, two, three] = all.map(({ revision }) => revision.id) as [
          string,
          string,
          string,
        ];
        for (const path of ["/b", "/a"]) await functions.addFile(one, file(path), LATER);
        await functions.addFile(two, file("/a"), LATER);
        const found = await functions.filesOf([two, one, three]);
        assert.deepEqual(found.get(one), [file("/a"), file("/b")]);
        assert.deepEqual(found.get(two), [file("/a")]);
        assert.equal(found.size, 2);
        const others = Array.from({ length: 1200 }, (_, index) => `none ${index}`);
        assert.deepEqual([...(await functions.filesOf([...others, two])).keys()], [two]);
        assert.equal((await functions.filesOf([])).size, 0);
      }),
    );

    it(
      "collects blobs nobody needs, and only those",
      withStore(async (store) => {
        const vod = newFunction("vod");
        await store.functions.create(vod);
        const put = (text: string): Promise<string> =>
          store.blobs.put(
            bytes(text),
            { maximumBytes: 100, sha256: digestOf(text) },
            async ({ sha256 }) => sha256,
          );
        const [needed, loading, loose] = [
          await put("needed"),
          await put("loading"),
          await put("loose"),
        ];
        await store.functions.addFile(vod.revision.id, { ...file("/a"), sha256: needed }, AT);
        await store.functions.addFile(vod.revision.id, { ...file("/b"), sha256: needed }, AT);
        const instance = newInstance("0", [{ ...load("/c", 0, 0), sha256: loading }]);
        await store.instances.create(instance);
        assert.equal(await store.blobs.collect(), 1);
        assert.equal(await store.blobs.has(loose), false);
        await store.functions.removeFile(vod.id, "/a", LATER);
        assert.equal(await store.blobs.collect(), 0);
        await store.instances.markLoaded(instance.key, "/c");
        await store.functions.remove(NAMESPACE, "vod", LATER);
        assert.equal(await store.blobs.collect(), 2);
        assert.deepEqual(await store.blobs.list(), []);
      }),
    );

    namespaceContract(withStore);
    quotaContract(withStore);
    versionContract(withStore);
  });
}
