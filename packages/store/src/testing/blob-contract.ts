// What every place of blobs must do, and every store of blobs over it: one suite, run by each of them.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Kysely } from "kysely";
import { blobHolds } from "../blobs/blob-holds.ts";
import type { Blob, BlobPlace } from "../blobs/blob-place.ts";
import { type BlobStore, blobStore } from "../blobs/blob-store.ts";
import type { StoreError } from "../errors.ts";
import { sqliteEngine } from "../sql/engine.ts";
import { migrate } from "../sql/migrations.ts";
import type { Tables } from "../sql/tables.ts";

/** How a place is made and looked at. */
export interface BlobPlaceUnderTest {
  /** An empty place. */
  readonly open: () => Promise<BlobPlace>;
  /** Another process's view of the place that was opened last; what nobody finishes is interrupted to it at once. */
  readonly openAgain: () => Promise<BlobPlace>;
  /** Puts other bytes under a digest. */
  readonly damage: (sha256: string, bytes: Uint8Array) => Promise<void>;
  /** How many uploads are begun and not finished; undefined where nobody can tell. */
  readonly unfinished: () => Promise<number | undefined>;
  /** The size of what is large; more than two parts of a multipart upload by default. */
  readonly large?: number;
  readonly skip?: string | false;
}

/** Runs the suite. */
export function blobContract(name: string, under: BlobPlaceUnderTest): void {
  const withBlobs = (work: (blobs: BlobStore, place: BlobPlace) => Promise<void>) => async () => {
    const place = await under.open();
    const engine = sqliteEngine(":memory:");
    const db = new Kysely<Tables>({ dialect: engine.dialect });
    await migrate(db, engine.name);
    try {
      await work(blobStore(place, blobHolds(db, engine)), place);
    } finally {
      await db.destroy();
    }
  };
  const large = under.large ?? 20_000_000;
  const leavesNothing = async (blobs: BlobStore): Promise<void> => {
    assert.deepEqual(await blobs.list(), []);
    assert.equal((await under.unfinished()) ?? 0, 0);
  };

  describe(`blobs ${name}`, { skip: under.skip ?? false, concurrency: false }, () => {
    for (const size of [0, 1, 300_000, large]) {
      it(
        `gives ${size} bytes back under their SHA-256, from any offset`,
        withBlobs(async (blobs) => {
          const data = randomBytes(size);
          const sha256 = digestOf(data);
          const stored = await blobs.put(inParts(data), { maximumBytes: size, sha256 }, identity);
          assert.deepEqual(stored, { sha256, size });
          assert.equal(digestOf(await readAll(blobs.reader(sha256)(0))), sha256);
          for (const offset of [Math.floor(size / 3), Math.max(0, size - 1), size]) {
            const rest = await readAll(blobs.reader(sha256)(offset));
            assert.equal(rest.equals(data.subarray(offset)), true, `from ${offset}`);
          }
          assert.deepEqual(await blobs.list(), [sha256]);
        }),
      );
    }

    it(
      "reads on where a reader stopped, and checks all of it",
      withBlobs(async (blobs) => {
        const data = randomBytes(2_000_000);
        const sha256 = await put(blobs, data);
        const read = blobs.reader(sha256);
        const [first = new Uint8Array()] = await readSome(read(0), 1);
        const rest = await readAll(read(first.length));
        assert.equal(digestOf(Buffer.concat([first, rest])), sha256);
      }),
    );

    it(
      "stores the same bytes once",
      withBlobs(async (blobs) => {
        const data = randomBytes(large / 2);
        await Promise.all([1, 2, 3].map(() => put(blobs, data)));
        assert.deepEqual(await blobs.list(), [digestOf(data)]);
        assert.equal((await under.unfinished()) ?? 0, 0);
      }),
    );

    it(
      "shows nothing before it is whole",
      withBlobs(async (blobs) => {
        const data = randomBytes(large);
        const sha256 = digestOf(data);
        let looks = 0;
        const watched = async function* (): AsyncGenerator<Uint8Array> {
          for await (const part of inParts(data)) {
            yield part;
            if (looks > 2) continue;
            looks += 1;
            assert.equal(await blobs.has(sha256), false);
          }
          assert.equal(await blobs.has(sha256), false);
          assert.deepEqual(await blobs.list(), []);
        };
        await blobs.put(watched(), { maximumBytes: large, sha256 }, identity);
        assert.equal(await blobs.has(sha256), true);
      }),
    );

    for (const size of [101, large]) {
      it(
        `leaves nothing of ${size} bytes that are too many`,
        withBlobs(async (blobs) => {
          const data = randomBytes(size);
          const expected = { maximumBytes: size - 1, sha256: digestOf(data) };
          await assert.rejects(
            blobs.put(inParts(data), expected, identity),
            isCode("BLOB_TOO_LARGE"),
          );
          await leavesNothing(blobs);
        }),
      );

      it(
        `leaves nothing of ${size} bytes with another digest`,
        withBlobs(async (blobs) => {
          const expected = { maximumBytes: size, sha256: "ab".repeat(32) };
          const putting = blobs.put(inParts(randomBytes(size)), expected, identity);
          await assert.rejects(putting, isCode("BLOB_MISMATCH"));
          await leavesNothing(blobs);
        }),
      );

      it(
        `leaves nothing of ${size} bytes that break off`,
        withBlobs(async (blobs) => {
          const broken = async function* (): AsyncGenerator<Uint8Array> {
            yield* inParts(randomBytes(size));
            throw new Error("broken off");
          };
          const expected = { maximumBytes: 2 * size, sha256: "ab".repeat(32) };
          await assert.rejects(blobs.put(broken(), expected, identity), /broken off/);
          await leavesNothing(blobs);
        }),
      );
    }

    it(
      "frees what nobody recorded",
      withBlobs(async (blobs) => {
        const data = randomBytes(1000);
        const refused = async (): Promise<never> => {
          throw new Error("not recorded");
        };
        const expected = { maximumBytes: 1000, sha256: digestOf(data) };
        await assert.rejects(blobs.put(inParts(data), expected, refused), /not recorded/);
        assert.equal(await blobs.collect(), 1);
        await leavesNothing(blobs);
      }),
    );

    it(
      "does not collect a blob that is being recorded",
      withBlobs(async (blobs) => {
        const data = randomBytes(1000);
        const expected = { maximumBytes: 1000, sha256: digestOf(data) };
        await blobs.put(inParts(data), expected, async ({ sha256 }) => {
          assert.equal(await blobs.collect(), 0);
          assert.equal(await blobs.has(sha256), true);
          const again = await blobs.reuse(sha256, async ({ size }) => size);
          assert.deepEqual(again, { linked: 1000 });
          assert.equal(await blobs.collect(), 0);
        });
        assert.equal(await blobs.collect(), 1);
        assert.equal(await blobs.reuse(expected.sha256, identity), undefined);
      }),
    );

    it(
      "stores a blob that is just being removed once it is gone",
      withBlobs(async (blobs, place) => {
        const data = randomBytes(1000);
        const sha256 = await put(blobs, data);
        const remove = place.remove.bind(place);
        let putting: Promise<string> | undefined;
        const order: string[] = [];
        place.remove = async (which) => {
          putting = put(blobs, data).finally(() => order.push("stored"));
          // As long as the removal takes, nothing can be recorded.
          for (let turns = 0; turns < 5; turns += 1) await place.size(which);
          const removed = await remove(which);
          order.push("removed");
          return removed;
        };
        assert.equal(await blobs.collect(), 1);
        await putting;
        assert.deepEqual(order, ["removed", "stored"]);
        assert.equal(digestOf(await readAll(blobs.reader(sha256)(0))), sha256);
      }),
    );

    it(
      "never gives all of a blob whose bytes were changed",
      withBlobs(async (blobs) => {
        const data = randomBytes(700_000);
        const sha256 = await put(blobs, data);
        data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ 1;
        await under.damage(sha256, data);
        for (const offset of [0, 600_000]) {
          let got = 0;
          const reading = (async () => {
            for await (const part of blobs.reader(sha256)(offset)) got += part.length;
          })();
          await assert.rejects(reading, isCode("BLOB_DAMAGED"));
          assert.ok(got < data.length - offset, `${got} bytes`);
        }
      }),
    );

    it(
      "says that a blob is not there",
      withBlobs(async (blobs) => {
        for (const name of ["ab".repeat(32), "../../etc/passwd"]) {
          await assert.rejects(readAll(blobs.reader(name)(0)), isCode("BLOB_MISSING"));
        }
      }),
    );

    it(
      "sweeps away what an upload left whose process was killed, and no upload that goes on",
      withBlobs(async (_blobs, place) => {
        const stalled = Promise.withResolvers<void>();
        const stalling = async function* (): AsyncGenerator<Uint8Array> {
          yield* inParts(randomBytes(large));
          stalled.resolve();
          // Nobody ends it: as if its process were gone.
          await new Promise<never>(() => undefined);
        };
        const expected = { maximumBytes: 2 * large, sha256: "ab".repeat(32) };
        place.receive(stalling(), expected).catch(() => undefined);
        await stalled.promise;
        const before = await under.unfinished();
        if (before === undefined) return;
        assert.equal(before, 1);
        await place.sweep();
        assert.equal(await under.unfinished(), 1);
        await (await under.openAgain()).sweep();
        assert.equal(await under.unfinished(), 0);
      }),
    );
  });
}

function put(blobs: BlobStore, data: Uint8Array): Promise<string> {
  const sha256 = digestOf(data);
  const expected = { maximumBytes: data.length, sha256 };
  return blobs.put(inParts(data), expected, async (blob) => blob.sha256);
}

async function identity(blob: Blob): Promise<Blob> {
  return blob;
}

function isCode(code: string): (thrown: StoreError) => boolean {
  return (thrown) => {
    assert.equal(thrown.code, code);
    return true;
  };
}

function digestOf(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

async function* inParts(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += 70_000) yield data.subarray(at, at + 70_000);
}

async function readSome(source: AsyncIterable<Uint8Array>, parts: number): Promise<Uint8Array[]> {
  const read: Uint8Array[] = [];
  for await (const part of source) {
    read.push(Uint8Array.from(part));
    if (read.length === parts) break;
  }
  return read;
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await readSome(source, Number.POSITIVE_INFINITY));
}
