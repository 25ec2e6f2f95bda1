// The part of the contract about versions and aliases.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Store, StoredFunction } from "../index.ts";
import { MAXIMUM_VERSIONS } from "../revisions.ts";
import type { WithStore } from "./contract-options.ts";
import {
  AT,
  bytes,
  digestOf,
  file,
  LATER,
  NAMESPACE,
  newFunction,
  newInstance,
  newRevision,
} from "./records.ts";

/** Adds its tests. */
export function versionContract(withStore: WithStore): void {
  it(
    "makes a version of a function once its last file is stored",
    withStore(async ({ functions, events }) => {
      const vod = newFunction("vod", ["/a", "/b"]);
      await functions.create(vod);
      assert.equal(await functions.addFile(vod.revision.id, file("/a"), AT), "stored");
      assert.deepEqual(await functions.versions(vod.id), []);
      assert.equal(await functions.addFile(vod.revision.id, file("/b"), AT), "published");
      const [version] = await functions.versions(vod.id);
      assert.deepEqual(version, {
        revisionId: vod.revision.id,
        version: 1,
        digest: vod.revision.digest,
        bytes: 14,
        createdAt: AT,
      });
      assert.equal((await headOf(functions)).version, 1);
      const seen = await events.list({ namespace: NAMESPACE, after: 0, limit: 10 });
      assert.deepEqual(
        seen.map(({ state, reason }) => [state, reason].join(" ")),
        ["defined ", "provisioned version 1"],
      );
    }),
  );

  it(
    "makes a version of a function without files at once",
    withStore(async ({ functions }) => {
      await functions.create(newFunction("vod", []));
      assert.equal((await headOf(functions)).version, 1);
    }),
  );

  it(
    "keeps a version as it was when a file is taken from the head, and finds it again",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a", "/b"]);
      assert.equal(await functions.removeFile(vod.id, "/a", LATER), true);
      assert.equal(await functions.removeFile(vod.id, "/a", LATER), false);
      const head = await headOf(functions);
      assert.equal(head.version, undefined);
      assert.deepEqual(await functions.files(head.id), [file("/b")]);
      assert.deepEqual(await functions.files(vod.revision.id), [file("/a"), file("/b")]);
      assert.equal(await functions.removeFile(vod.id, "/b", LATER), true);
      for (const path of ["/a", "/b"]) await functions.addFile(head.id, file(path), LATER);
      assert.equal((await headOf(functions)).id, vod.revision.id);
      assert.equal((await functions.versions(vod.id)).length, 1);
      assert.equal(await functions.revision(head.id), undefined);
    }),
  );

  it(
    "leaves the head alone until a draft is complete, and takes over what it has already",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a", "/b"]);
      const draft = newRevision("vod", ["/a", "/c"]);
      assert.equal((await functions.putDraft(vod.id, draft, LATER))?.version, undefined);
      assert.equal((await functions.find(NAMESPACE, "vod"))?.draft, draft.id);
      assert.equal((await headOf(functions)).id, vod.revision.id);
      assert.deepEqual(await functions.files(draft.id), [file("/a")]);
      assert.equal(await functions.addFile(draft.id, file("/c"), LATER), "published");
      const found = await functions.find(NAMESPACE, "vod");
      assert.equal(found?.head.id, draft.id);
      assert.equal(found?.head.version, 2);
      assert.equal(found?.draft, undefined);
      assert.equal(found?.registered, vod.revision.digest);
      assert.equal((await functions.findVersion(vod.id, 1))?.id, vod.revision.id);
      assert.equal((await functions.findVersion(vod.id, draft.digest))?.id, draft.id);
      assert.equal(await functions.findVersion(vod.id, 3), undefined);
    }),
  );

  it(
    "publishes a draft of content that was a version before as that version",
    withStore(async ({ functions, events }) => {
      const vod = await provisioned(functions, ["/a"]);
      const second = newRevision("vod", ["/b"]);
      await functions.putDraft(vod.id, second, AT);
      await functions.addFile(second.id, file("/b"), AT);
      const back = await functions.putDraft(vod.id, newRevision("vod", ["/a"]), LATER);
      assert.equal(`${back?.id} ${back?.version}`, `${vod.revision.id} 1`);
      const last = await events.last(NAMESPACE);
      // What changes nothing is nothing that happened.
      await functions.putDraft(vod.id, newRevision("vod", ["/a"]), LATER);
      assert.equal(await events.last(NAMESPACE), last);
      assert.equal((await headOf(functions)).version, 1);
      assert.deepEqual(
        (await functions.versions(vod.id)).map(({ version }) => version),
        [1, 2],
      );
      const third = await functions.putDraft(vod.id, newRevision("vod", ["/a", "/b"]), LATER);
      assert.equal(third?.version, 3);
    }),
  );

  it(
    "goes on with a draft of the same content, replaces another, and drops it when asked",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a"]);
      const first = newRevision("vod", ["/b", "/c"]);
      await functions.putDraft(vod.id, first, AT);
      await functions.addFile(first.id, file("/b"), AT);
      const same = await functions.putDraft(vod.id, newRevision("vod", ["/b", "/c"]), LATER);
      assert.equal(same?.id, first.id);
      assert.deepEqual(await functions.files(first.id), [file("/b")]);
      const other = newRevision("vod", ["/b", "/d"]);
      await functions.putDraft(vod.id, other, LATER);
      assert.equal(await functions.revision(first.id), undefined);
      assert.deepEqual(await functions.files(other.id), [file("/b")]);
      assert.equal(await functions.addFile(first.id, file("/c"), LATER), "gone");
      assert.equal(await functions.removeDraft(vod.id), true);
      assert.equal(await functions.removeDraft(vod.id), false);
      assert.equal(await functions.revision(other.id), undefined);
      assert.equal((await headOf(functions)).version, 1);
      assert.equal(await functions.putDraft("nobody", other, LATER), undefined);
    }),
  );

  it(
    "takes over what was stored since a draft was begun, when it is asked for again",
    withStore(async ({ functions }) => {
      const vod = newFunction("vod", ["/a"]);
      await functions.create(vod);
      const draft = newRevision("vod", ["/a", "/b"]);
      await functions.putDraft(vod.id, draft, AT);
      await functions.addFile(draft.id, file("/b"), AT);
      await functions.addFile(vod.revision.id, file("/a"), AT);
      const again = await functions.putDraft(vod.id, newRevision("vod", ["/a", "/b"]), LATER);
      assert.equal(`${again?.id} ${again?.version}`, `${draft.id} 2`);
    }),
  );

  it(
    "takes over nothing of another kind, which other bounds hold for",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a"]);
      const { files, ...rest } = newRevision("vod", ["/a"]);
      const changed = files.map((each) => ({ ...each, kind: "data_file" as const }));
      const draft = { ...rest, digest: digestOf("other"), files: changed };
      assert.equal((await functions.putDraft(vod.id, draft, LATER))?.version, undefined);
      assert.deepEqual(await functions.files(draft.id), []);
    }),
  );

  it(
    "bounds the versions of a function, and lets it go back to one it has",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, []);
      for (let index = 2; index <= MAXIMUM_VERSIONS; index += 1) {
        const { id, ...rest } = newRevision("vod", []);
        await functions.putDraft(vod.id, { id, ...rest, digest: digestOf(`${index}`) }, AT);
      }
      const full = { code: "STORE_LIMIT" };
      const more = { ...newRevision("vod", []), digest: digestOf("more") };
      await assert.rejects(functions.putDraft(vod.id, more, AT), full);
      const back = await functions.putDraft(vod.id, newRevision("vod", []), AT);
      assert.equal(back?.version, 1);
    }),
  );

  it(
    "publishes once when the last two files come at once",
    withStore(async ({ functions }) => {
      const vod = newFunction("vod", ["/a", "/b"]);
      await functions.create(vod);
      const outcomes = await Promise.all(
        ["/a", "/b"].map((path) => functions.addFile(vod.revision.id, file(path), AT)),
      );
      assert.deepEqual(outcomes.sort(), ["published", "stored"]);
    }),
  );

  it(
    "switches an alias as a whole, and never to what is no version of the function",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a"]);
      const second = newRevision("vod", ["/a", "/b"]);
      await functions.putDraft(vod.id, second, AT);
      assert.equal(await functions.setAlias(vod.id, "stable", second.id, AT), undefined);
      await functions.addFile(second.id, file("/b"), AT);
      await functions.setAlias(vod.id, "stable", vod.revision.id, AT);
      const set = await functions.setAlias(vod.id, "stable", second.id, LATER);
      assert.equal(`${set?.version} ${set?.updatedAt}`, `2 ${LATER}`);
      assert.deepEqual(await functions.aliases(vod.id), [set]);
      const other = await provisioned(functions, ["/x"], "other");
      assert.equal(await functions.setAlias(vod.id, "stable", other.revision.id, AT), undefined);
      assert.equal(await functions.removeAlias(vod.id, "stable", LATER), true);
      assert.equal(await functions.removeAlias(vod.id, "stable", LATER), false);
    }),
  );

  it(
    "bounds the aliases of a function",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, []);
      for (let index = 0; index < 100; index += 1) {
        await functions.setAlias(vod.id, `a${index}`, vod.revision.id, AT);
      }
      const full = { code: "STORE_LIMIT" };
      await assert.rejects(functions.setAlias(vod.id, "more", vod.revision.id, AT), full);
      await functions.setAlias(vod.id, "a7", vod.revision.id, LATER);
      assert.equal((await functions.aliases(vod.id)).length, 100);
    }),
  );

  it(
    "keeps a version that the name, an alias or a living instance needs",
    withStore(async ({ functions, instances }) => {
      const vod = await provisioned(functions, ["/a"]);
      const { id } = vod.revision;
      const remove = () => functions.removeVersion(vod.id, id, LATER);
      const needs = async () => (await remove()).neededBy;
      assert.deepEqual(await needs(), ["the function's name alone"]);
      await functions.setAlias(vod.id, "stable", id, AT);
      const instance = newInstance("0", [], { revisionId: id, version: 1 });
      await instances.create(instance);
      const second = newRevision("vod", []);
      await functions.putDraft(vod.id, second, AT);
      assert.deepEqual(await needs(), ["alias stable", "instance 0"]);
      await functions.removeAlias(vod.id, "stable", AT);
      await instances.move(instance.key, ["requested"], "ended", AT);
      assert.deepEqual(await remove(), { isFound: true, neededBy: [] });
      assert.deepEqual(await remove(), { isFound: false, neededBy: [] });
      assert.deepEqual(await functions.files(id), []);
      const third = await functions.putDraft(vod.id, newRevision("vod", ["/a"]), LATER);
      assert.equal(third?.version, undefined);
    }),
  );

  it(
    "gives no number twice, also when the newest version was removed",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a"]);
      const second = newRevision("vod", []);
      await functions.putDraft(vod.id, second, AT);
      await functions.putDraft(vod.id, newRevision("vod", ["/a"]), AT);
      await functions.removeVersion(vod.id, second.id, AT);
      const again = await functions.putDraft(vod.id, newRevision("vod", []), AT);
      assert.equal(again?.version, 3);
    }),
  );

  it(
    "makes no instance of a revision that was removed meanwhile",
    withStore(async ({ functions, instances }) => {
      const vod = await provisioned(functions, ["/a"]);
      const made = newInstance("0", [], { revisionId: vod.revision.id });
      await functions.remove(NAMESPACE, "vod", LATER);
      await assert.rejects(instances.create(made), { code: "STORE_GONE" });
    }),
  );

  it(
    "removes a function with its versions and aliases",
    withStore(async ({ functions }) => {
      const vod = await provisioned(functions, ["/a"]);
      await functions.setAlias(vod.id, "stable", vod.revision.id, AT);
      assert.equal(await functions.remove(NAMESPACE, "vod", LATER), true);
      assert.deepEqual(await functions.versions(vod.id), []);
      assert.deepEqual(await functions.aliases(vod.id), []);
    }),
  );

  it(
    "keeps the bytes of a version as long as it is there",
    withStore(async (store) => {
      const { functions, blobs } = store;
      const sha256 = digestOf("of version 1");
      const expected = { maximumBytes: 100, sha256 };
      await blobs.put(bytes("of version 1"), expected, async () => undefined);
      const vod = newFunction("vod", ["/a"]);
      await functions.create(vod);
      await functions.addFile(vod.revision.id, { ...file("/a"), sha256 }, AT);
      await functions.putDraft(vod.id, newRevision("vod", []), AT);
      assert.equal(await store.blobs.collect(), 0);
      await functions.removeVersion(vod.id, vod.revision.id, LATER);
      assert.equal(await store.blobs.collect(), 1);
      assert.equal(await blobs.has(sha256), false);
    }),
  );
}

/** A function with all of its files. */
async function provisioned(
  functions: Store["functions"],
  paths: readonly string[],
  name = "vod",
): Promise<ReturnType<typeof newFunction>> {
  const made = newFunction(name, paths);
  await functions.create(made);
  for (const path of paths) await functions.addFile(made.revision.id, file(path), AT);
  return made;
}

async function headOf(functions: Store["functions"]): Promise<StoredFunction["head"]> {
  const found = await functions.find(NAMESPACE, "vod");
  if (found === undefined) throw new Error("the function is gone");
  return found.head;
}
