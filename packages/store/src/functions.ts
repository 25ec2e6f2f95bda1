// Functions and their stored files.
import type { Kysely } from "kysely";
import { StoreError } from "./errors.ts";
import type { Tables } from "./sql/tables.ts";
import { isReferenceViolation, isUniqueViolation } from "./sql/violations.ts";

/** A registered function. */
export interface StoredFunction {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly definition: string;
  readonly createdAt: string;
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
  /** In order of names. */
  list(): Promise<StoredFunction[]>;
  /** Removes the function and the records of its files. */
  remove(name: string): Promise<boolean>;
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
export function functionRepository(db: Kysely<Tables>): FunctionRepository {
  return {
    async create({ id, name, definition, createdAt }) {
      try {
        await db
          .insertInto("functions")
          .values({ id, name, definition, created_at: createdAt })
          .execute();
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new StoreError("STORE_CONFLICT", `function ${name} exists already`, { cause });
      }
    },
    async find(name) {
      const row = await db
        .selectFrom("functions")
        .selectAll()
        .where("name", "=", name)
        .executeTakeFirst();
      return row === undefined ? undefined : functionOf(row);
    },
    async list() {
      const rows = await db.selectFrom("functions").selectAll().orderBy("name").execute();
      return rows.map(functionOf);
    },
    async remove(name) {
      const { numDeletedRows } = await db
        .deleteFrom("functions")
        .where("name", "=", name)
        .executeTakeFirst();
      return numDeletedRows > 0n;
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
  return { id: row.id, name: row.name, definition: row.definition, createdAt: row.created_at };
}
