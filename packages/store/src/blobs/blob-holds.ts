// Who holds a blob just now, as rows that all processes on a store see: those between storing it and recording who needs
// it, and the one that removes it. The two exclude each other. A row is renewed while the work goes on, and so ends by
// itself when its process died.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import { StoreError } from "../errors.ts";
import type { Engine } from "../sql/engine.ts";
import type { Tables } from "../sql/tables.ts";

/** Holds of blobs. */
export interface BlobHolds {
  /**
   * Does work while the blob can't be removed; waits for one that is just being removed.
   * @throws StoreError BLOB_BUSY when the removal does not end
   */
  hold<T>(sha256: string, work: () => Promise<T>): Promise<T>;
  /** Does a removal, unless the blob is needed or held; answers what the removal does, or false. */
  remove(sha256: string, removal: () => Promise<boolean>): Promise<boolean>;
  /** Forgets all holds; only for a process that is alone on its store, which those before it held. */
  releaseAll(): Promise<void>;
}

/** Longer than any store takes to remove an object or to give up. */
const LONG_MS = 10 * 60 * 1000;
/** Where other processes wait for what one that died has held: less than they are patient. */
const SHARED_MS = 45_000;
const RENEW_MS = 10_000;
const POLL_MS = 50;
const PATIENCE_MS = 60_000;

/** Holds in a database. */
export function blobHolds(db: Kysely<Tables>, engine: Engine): BlobHolds {
  const holdMs = engine.isShared ? SHARED_MS : LONG_MS;
  /** Takes a hold if `isFree`; transactions that do so follow one another. */
  const take = async (
    sha256: string,
    purpose: "link" | "removal",
    isFree: (transaction: Transaction<Tables>) => Promise<boolean>,
  ): Promise<string | undefined> => {
    const holder = randomUUID();
    const taken = await db.transaction().execute(async (transaction) => {
      await engine.lockSums(transaction);
      if (!(await isFree(transaction))) return false;
      const until = timeIn(holdMs);
      await transaction
        .insertInto("blob_holds")
        .values({ sha256, holder, purpose, until })
        .execute();
      return true;
    });
    return taken ? holder : undefined;
  };
  const release = async (holder: string): Promise<void> => {
    await db.deleteFrom("blob_holds").where("holder", "=", holder).execute();
  };
  /** At best effort: a database that does not answer now is asked again. */
  const extend = async (holder: string, milliseconds: number): Promise<void> => {
    const until = timeIn(milliseconds);
    await db
      .updateTable("blob_holds")
      .set({ until })
      .where("holder", "=", holder)
      .where("until", "<", until)
      .execute()
      .catch(() => undefined);
  };
  const whileHeld = async <T>(holder: string, work: () => Promise<T>): Promise<T> => {
    const renewal = setInterval(() => void extend(holder, holdMs), RENEW_MS).unref();
    try {
      return await work();
    } finally {
      clearInterval(renewal);
    }
  };
  return {
    async hold(sha256, work) {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const holder = await take(
          sha256,
          "link",
          async (transaction) => !(await isHeld(transaction, sha256, ["removal"])),
        );
        if (holder !== undefined) {
          try {
            return await whileHeld(holder, work);
          } finally {
            await release(holder);
          }
        }
        if (Date.now() > deadline) {
          throw new StoreError("BLOB_BUSY", `blob ${sha256} is being removed; try again later`);
        }
        await sleep(POLL_MS);
      }
    },
    async remove(sha256, removal) {
      // Most are needed: that is seen without anybody waiting.
      if (await isNeeded(db, sha256)) return false;
      const holder = await take(
        sha256,
        "removal",
        async (transaction) =>
          !(await isHeld(transaction, sha256, ["link", "removal"])) &&
          !(await isNeeded(transaction, sha256)),
      );
      if (holder === undefined) return false;
      try {
        const done = await whileHeld(holder, removal);
        await release(holder);
        return done;
      } catch (thrown) {
        // A removal that failed may still come to pass.
        await extend(holder, LONG_MS);
        throw thrown;
      }
    },
    async releaseAll() {
      await db.deleteFrom("blob_holds").execute();
    },
  };
}

function timeIn(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

async function isHeld(
  transaction: Transaction<Tables>,
  sha256: string,
  purposes: readonly ("link" | "removal")[],
): Promise<boolean> {
  const row = await transaction
    .selectFrom("blob_holds")
    .select("holder")
    .where("sha256", "=", sha256)
    .where("purpose", "in", purposes)
    .where("until", ">", new Date().toISOString())
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether a function has the blob, or an instance that is on its way up. */
async function isNeeded(transaction: Kysely<Tables>, sha256: string): Promise<boolean> {
  const file = await transaction
    .selectFrom("files")
    .select("path")
    .where("sha256", "=", sha256)
    .executeTakeFirst();
  if (file !== undefined) return true;
  const load = await transaction
    .selectFrom("loads")
    .innerJoin("instances", "instances.key", "loads.instance_key")
    .select("loads.path")
    .where("loads.sha256", "=", sha256)
    .where("loads.loaded", "=", 0)
    .where("instances.state", "not in", ["ended", "failed", "ready", "ending"])
    .executeTakeFirst();
  return load !== undefined;
}
