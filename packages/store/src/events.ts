// What changed, in order: each change of state is written in the very transaction that makes it, so that whoever follows
// the events misses none and sees none that did not happen.
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./sql/tables.ts";

/** A change that is about to be written. */
export interface NewEvent {
  readonly kind: "function" | "instance" | "keep";
  /** Name of the function, id of the instance, hash of the keep. */
  readonly subject: string;
  readonly state: string;
  readonly reason?: string;
  readonly at: string;
}

/** A change as it was written. */
export interface StoredEvent extends NewEvent {
  /** Grows with every event. */
  readonly seq: number;
}

/** Which events are asked for. */
export interface EventFilter {
  /** Only events after this one. */
  readonly after: number;
  readonly limit: number;
  readonly kinds?: readonly NewEvent["kind"][];
  readonly subject?: string;
}

/** Events to read. */
export interface EventRepository {
  /** Oldest first. */
  list(filter: EventFilter): Promise<StoredEvent[]>;
  /** The newest event's number, 0 when there is none. */
  last(): Promise<number>;
  /** Resolves at the next event of this process, or after a while: others write, too. */
  next(signal: AbortSignal): Promise<void>;
  /** Keeps the newest events only. */
  trim(keep: number): Promise<void>;
}

/** Events to read and to write. */
export interface EventLog extends EventRepository {
  add(transaction: Transaction<Tables>, event: NewEvent): Promise<void>;
}

const POLL_MS = 1000;

/** Events in a database. */
export function eventLog(db: Kysely<Tables>): EventLog {
  const waiting = new Set<() => void>();
  return {
    async add(transaction, { kind, subject, state, reason, at }) {
      await transaction
        .insertInto("events")
        .values({ kind, subject, state, reason: reason ?? null, at })
        .execute();
      // Readers ask the database once the transaction has ended, which is a turn away at least.
      setImmediate(() => {
        for (const wake of waiting) wake();
      });
    },
    async list({ after, limit, kinds, subject }) {
      let query = db
        .selectFrom("events")
        .selectAll()
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(limit);
      if (kinds !== undefined) query = query.where("kind", "in", kinds);
      if (subject !== undefined) query = query.where("subject", "=", subject);
      const rows = await query.execute();
      return rows.map(({ reason, kind, ...row }) => ({
        ...row,
        kind: kind as NewEvent["kind"],
        ...(reason === null ? {} : { reason }),
      }));
    },
    async last() {
      const { seq } = await db
        .selectFrom("events")
        .select(({ fn }) => fn.max("seq").as("seq"))
        .executeTakeFirstOrThrow();
      return Number(seq ?? 0);
    },
    next: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          waiting.delete(done);
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, POLL_MS);
        waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
        if (signal.aborted) done();
      }),
    async trim(keep) {
      const last = await this.last();
      await db
        .deleteFrom("events")
        .where("seq", "<=", last - keep)
        .execute();
    },
  };
}
