// Whatever goes wrong, a person is told what he may try.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ServiceRefusal } from "@holdfast/contract";
import { CliError, explain } from "./errors.ts";

const CODES = new URL("../../../docs/reference/errors.md", import.meta.url);
/** Commands never ask so, or say on the spot what to do (access/explained-transport.ts). */
const ELSEWHERE =
  /^(STORE_(?!UNREACHABLE)|BLOB_|REQUEST_(MEDIA|TIME|HEADERS)|METHOD_|ACCESS_(UNKNOWN|DENIED)$|NAMESPACE_INVALID|NAME_INVALID|IDEMPOTENCY_|FILE_NOT_LOADED|KEEP_NOT_FOUND|COPY_)/;

test("every refusal of the control plane comes with something to try", () => {
  const [, section = ""] = readFileSync(CODES, "utf8").split("## Control plane and store");
  const codes = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `([A-Z0-9_]+)`/gm)];
  const names = codes.map(([, code = ""]) => code).filter((code) => !ELSEWHERE.test(code));
  assert.ok(names.length > 50);
  const problem = { type: "about:blank", title: "", status: 400, detail: "" };
  const mute = names.filter(
    (code) => explain(new ServiceRefusal("service", { ...problem, code })).try === undefined,
  );
  assert.deepEqual(mute, []);
});

test("a hint of who noticed it goes before that of its code", () => {
  assert.equal(explain(new CliError("CLI_INPUT", "text", { hint: "this" })).try, "this");
  assert.match(explain(new CliError("CLI_INPUT", "text")).try ?? "", /--help/);
});
