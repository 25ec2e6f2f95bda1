// What changed, in order: each change of state is written in the very transaction that makes it. A namespace numbers its
// own events, one transaction after the other, so that whoever follows them misses none and sees none that did not happen.
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
  /** Grows with every event of the namespace. */
  readonly seq: number;
}

/** Which events are asked for. */
export interface EventFilter {
  readonly namespace: string;
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
  last(namespace: string): Promise<number>;
  /** Resolves at the next event of this process, whichever namespace it is of, or after a while: others write, too. */
  next(signal: AbortSignal): Promise<void>;
  /** Keeps the newest events of each namespace only. */
  trim(keep: number): Promise<void>;
}

/** Events to read and to write. */
export interface EventLog extends EventRepository {
  /** The transaction must have locked the namespace. */
  add(transaction: Transaction<Tables>, namespace: string, event: NewEvent): Promise<void>;
}

const POLL_MS = 1000;

/** Events in a database. */
export function eventLog(db: Kysely<Tables>): EventLog {
  const waiting = new Set<() => void>();
  return {
    async add(transaction, namespace, { kind, subject, state, reason, at }) {
      const { last_event: seq } = await transaction
        .updateTable("namespaces")
        .set(({ eb }) => ({ last_event: eb("last_event", "+", 1) }))
        .where("name", "=", namespace)
        .returning("last_event")
        .executeTakeFirstOrThrow();
      await transaction
        .insertInto("events")
        .values({ namespace, seq, kind, subject, state, reason: reason ?? null, at })
        .execute();
      // Readers ask the database once the transaction has ended, which is a turn away at least.
      setImmediate(() => {
        for (const wake of waiting) wake();
      });
    },
    async list({ namespace, after, limit, kinds, subject }) {
      let query = db
        .selectFrom("events")
        .select(["seq", "kind", "subject", "state", "reason", "at"])
        .where("namespace", "=", namespace)
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
    async last(namespace) {
      const row = await db
        .selectFrom("namespaces")
        .select("last_event")
        .where("name", "=", namespace)
        .executeTakeFirst();
      return row?.last_event ?? 0;
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
      const namespaces = await db.selectFrom("namespaces").select(["name", "last_event"]).execute();
      for (const { name, last_event: last } of namespaces) {
        await db
          .deleteFrom("events")
          .where("namespace", "=", name)
          .where("seq", "<=", last - keep)
          .execute();
      }
    },
  };
}
