// Rows as tests, in their order, of one side.
import assert from "node:assert/strict";
import { it } from "node:test";
import { askRow, type Row, type Side, standingOf } from "./row.ts";

/** Adds a test for each row. */
export function testRows<S extends Side>(rows: readonly Row<S>[], side: () => S): void {
  for (const row of rows) {
    it(`${standingOf(row)}: ${row.call}, ${row.about}`, async () => {
      const { isOurs } = side();
      assert.equal(await askRow(row, side()), isOurs ? row.ours : row.theirs);
    });
  }
}
