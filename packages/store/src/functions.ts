// Functions and their stored files.
import type { Kysely } from "kysely";
import { StoreError } from "./errors.ts";
import type { EventLog } from "./events.ts";
import type { Tables } from "./sql/tables.ts";
import { isReferenceViolation, isUniqueViolation } from "./sql/violations.ts";

/** A registered function. */
export interface StoredFunction {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly definition: string;
  readonly createdAt: string;
  readonly idempotencyKey?: string;
}

/** A stored file of a function. */
export interface FunctionFileRecord {
  readonly path: string;
  readonly kind: "program" | "data_file";
  readonly sha256: string;
  readonly size: number;
}

/** Functions by name. */
export interface FunctionRepository {
  /** @throws StoreError STORE_CONFLICT when the name is taken */
  create(fields: StoredFunction): Promise<void>;
  find(name: string): Promise<StoredFunction | undefined>;
  findByIdempotencyKey(key: string): Promise<StoredFunction | undefined>;
  /** In order of names. */
  list(): Promise<StoredFunction[]>;
  /** Removes the function and the records of its files. */
  remove(name: string, at: string): Promise<boolean>;
  /**
   * Records a stored file.
   * @returns false when the function is gone, removed while the bytes were still coming
   * @throws StoreError STORE_CONFLICT when the file is there already
   */
  addFile(functionId: string, file: FunctionFileRecord, at: string): Promise<boolean>;
  files(functionId: string): Promise<FunctionFileRecord[]>;
  removeFile(functionId: string, path: string): Promise<boolean>;
}

/** Functions in a database. */
export function functionRepository(db: Kysely<Tables>, events: EventLog): FunctionRepository {
  const findBy = async (column: "name" | "idempotency_key", value: string) => {
    const row = await db
      .selectFrom("functions")
      .selectAll()
      .where(column, "=", value)
      .executeTakeFirst();
    return row === undefined ? undefined : functionOf(row);
  };
  return {
    async create({ id, name, definition, createdAt, idempotencyKey }) {
      try {
        await db.transaction().execute(async (transaction) => {
          await transaction
            .insertInto("functions")
            .values({
              id,
              name,
              definition,
              created_at: createdAt,
              idempotency_key: idempotencyKey ?? null,
            })
            .execute();
          await events.add(transaction, {
            kind: "function",
            subject: name,
            state: "defined",
            at: createdAt,
          });
        });
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new StoreError("STORE_CONFLICT", `function ${name} exists already`, { cause });
      }
    },
    find: (name) => findBy("name", name),
    findByIdempotencyKey: (key) => findBy("idempotency_key", key),
    async list() {
      const rows = await db.selectFrom("functions").selectAll().orderBy("name").execute();
      return rows.map(functionOf);
    },
    async remove(name, at) {
      return await db.transaction().execute(async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom("functions")
          .where("name", "=", name)
          .executeTakeFirst();
        if (numDeletedRows === 0n) return false;
        await events.add(transaction, { kind: "function", subject: name, state: "removed", at });
        return true;
      });
    },
    addFile: (functionId, file, at) => addFile(db, functionId, file, at),
    async files(functionId) {
      const rows = await db
        .selectFrom("files")
        .selectAll()
        .where("function_id", "=", functionId)
        .orderBy("path")
        .execute();
      return rows.map(({ path, kind, sha256, size }) => ({ path, kind, sha256, size }));
    },
    async removeFile(functionId, path) {
      const { numDeletedRows } = await db
        .deleteFrom("files")
        .where("function_id", "=", functionId)
        .where("path", "=", path)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

async function addFile(
  db: Kysely<Tables>,
  functionId: string,
  file: FunctionFileRecord,
  at: string,
): Promise<boolean> {
  try {
    await db
      .insertInto("files")
      .values({ function_id: functionId, stored_at: at, ...file })
      .execute();
    return true;
  } catch (cause) {
    if (isReferenceViolation(cause)) return false;
    if (!isUniqueViolation(cause)) throw cause;
    throw new StoreError("STORE_CONFLICT", `${file.path} is stored already`, { cause });
  }
}

function functionOf(row: Tables["functions"]): StoredFunction {
  return {
    id: row.id,
    name: row.name,
    definition: row.definition,
    createdAt: row.created_at,
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
  };
}
