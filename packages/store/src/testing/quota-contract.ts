// The part of the contract about quotas: nothing over them, whoever asks at once, and room again as soon as it is free.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Quotas, Store, StoreError } from "../index.ts";
import type { WithStore } from "./contract-options.ts";
import { AT, file, LATER, newFunction, newInstance, newKeep } from "./records.ts";

const namespace = "team";

/** Adds its tests. */
export function quotaContract(withStore: WithStore): void {
  const withQuotas = (quotas: Quotas, work: (store: Store) => Promise<void>) =>
    withStore(async (store) => {
      await store.namespaces.create({ name: namespace, quotas, createdAt: AT });
      await work(store);
    });

  it(
    "makes as many functions as the quota allows, whoever asks at once",
    withQuotas({ functions: 3 }, async (store) => {
      await expectMade(3, (index) =>
        store.functions.create(newFunction(`f${index}`, [], namespace)),
      );
      const [first] = await store.functions.listIn(namespace);
      await store.functions.remove(namespace, first?.name ?? "", LATER);
      await store.functions.create(newFunction("again", [], namespace));
      assert.equal((await store.namespaces.usage(namespace)).functions, 3);
      // Another namespace has its own.
      await store.functions.create(newFunction("again", []));
    }),
  );

  it(
    "makes as many living instances as the quota allows, whoever asks at once",
    withQuotas({ instances: 3 }, async (store) => {
      await expectMade(3, (index) =>
        store.instances.create(newInstance(`${index}`, [], { namespace })),
      );
      const [first] = await store.instances.living();
      await store.instances.move(first?.key ?? "", ["requested"], "failed", LATER);
      await store.instances.create(newInstance("again", [], { namespace }));
      assert.equal((await store.namespaces.usage(namespace)).instances, 3);
    }),
  );

  it(
    "gives keeps as much memory as the quota allows, whoever asks at once",
    withQuotas({ memoryMib: 1000 }, async (store) => {
      await expectMade(3, (index) =>
        store.keeps.create(newKeep(4000 + index, { namespace, maxMemoryMib: 300 })),
      );
      const [first] = await store.keeps.listIn(namespace);
      await store.keeps.close(first?.id ?? "", "ended", "", LATER);
      await store.keeps.create(newKeep(5000, { namespace, maxMemoryMib: 400 }));
      assert.equal((await store.namespaces.usage(namespace)).memoryMib, 1000);
    }),
  );

  it(
    "stores as many bytes as the quota allows, whoever uploads at once",
    withQuotas({ bytes: 100 }, async (store) => {
      const functions = Array.from({ length: 6 }, (_, index) =>
        newFunction(`f${index}`, [`/${index}`, "/rest"], namespace),
      );
      for (const each of functions) await store.functions.create(each);
      await expectMade(3, async (index) => {
        const revision = functions[index]?.revision.id ?? "";
        await store.functions.addFile(revision, file(`/${index}`, 30), LATER);
      });
      assert.equal((await store.namespaces.usage(namespace)).bytes, 90);
    }),
  );

  it(
    "counts one content once in a namespace, and frees it with the last who has it",
    withQuotas({ bytes: 40 }, async (store) => {
      const [one, two] = [
        newFunction("one", ["/a"], namespace),
        newFunction("two", ["/a"], namespace),
      ];
      for (const each of [one, two]) {
        await store.functions.create(each);
        await store.functions.addFile(each.revision.id, file("/a", 30), AT);
      }
      assert.equal((await store.namespaces.usage(namespace)).bytes, 30);
      assert.equal(await store.namespaces.hasContent(namespace, file("/a").sha256), true);
      assert.equal(await store.namespaces.hasContent("default", file("/a").sha256), false);
      const other = newFunction("other", ["/b"], namespace);
      await store.functions.create(other);
      const add = () => store.functions.addFile(other.revision.id, file("/b", 30), LATER);
      await store.functions.remove(namespace, "one", LATER);
      await assert.rejects(add(), { code: "STORE_QUOTA" });
      await store.functions.remove(namespace, "two", LATER);
      assert.equal(await add(), "published");
    }),
  );

  it(
    "says which quota it was, and how much of it is used",
    withQuotas({ bytes: 100 }, async (store) => {
      const vod = newFunction("vod", ["/a", "/b"], namespace);
      await store.functions.create(vod);
      await store.functions.addFile(vod.revision.id, file("/a", 60), AT);
      await assert.rejects(store.functions.addFile(vod.revision.id, file("/b", 50), AT), {
        code: "STORE_QUOTA",
        details: { namespace, quota: "bytes", limit: 100, used: 60, asked: 50 },
      });
      assert.deepEqual(await store.functions.files(vod.revision.id), [file("/a", 60)]);
    }),
  );

  it(
    "lowers a quota below what is used, which stays, and lifts it",
    withQuotas({ functions: 2 }, async (store) => {
      const { functions, namespaces } = store;
      for (const name of ["a", "b"]) await functions.create(newFunction(name, ["/a"], namespace));
      const changed = await namespaces.change(namespace, { functions: 1, bytes: 0 });
      assert.deepEqual(changed?.quotas, { functions: 1, bytes: 0 });
      assert.equal((await functions.listIn(namespace)).length, 2);
      await assert.rejects(functions.create(newFunction("c", [], namespace)), {
        code: "STORE_QUOTA",
      });
      const lifted = await namespaces.change(namespace, { functions: null });
      assert.deepEqual(lifted?.quotas, { bytes: 0 });
      await functions.create(newFunction("c", [], namespace));
      assert.equal(await namespaces.change("nobody", {}), undefined);
    }),
  );
}

/** Asks for twice as many at once: so many are made, and the others are refused by the quota. */
async function expectMade(
  number: number,
  make: (index: number) => Promise<unknown>,
): Promise<void> {
  const attempts = Array.from({ length: 2 * number }, (_, index) => make(index));
  const outcomes = await Promise.allSettled(attempts);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, number);
  for (const each of outcomes) {
    if (each.status === "rejected") assert.equal((each.reason as StoreError).code, "STORE_QUOTA");
  }
}
