// What the machine below refuses, as callers are told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOf } from "./problems.ts";

const failing = (fields: object, message = ""): Error => Object.assign(new Error(message), fields);

for (const [what, thrown] of [
  ["file", failing({ code: "ENOSPC" })],
  ["SQLite's", failing({ code: "ERR_SQLITE_ERROR", errcode: 13 })],
  ["PostgreSQL's", failing({ code: "53100" })],
] as const) {
  test(`a full disk is 507, not 500: ${what}`, () => {
    const { status, code } = problemOf(thrown, "id");
    assert.equal(`${status} ${code}`, "507 STORE_DISK_FULL");
  });
}

for (const [what, thrown] of [
  ["refused", failing({ code: "ECONNREFUSED" })],
  ["ended by its administrator", failing({ code: "57P01" })],
  ["lost", failing({}, "Connection terminated unexpectedly")],
] as const) {
  test(`a database that does not answer is 503, not 500: ${what}`, () => {
    const { status, code } = problemOf(thrown, "id");
    assert.equal(`${status} ${code}`, "503 STORE_UNREACHABLE");
  });
}

test("what nobody foresaw is 500, and says no more than where the log has it", () => {
  const { status, code, detail } = problemOf(failing({ code: "EACCES" }, "/etc/secret"), "id");
  assert.equal(`${status} ${code}`, "500 SERVICE_FAILED");
  assert.doesNotMatch(detail, /secret/);
});
