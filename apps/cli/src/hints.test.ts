// Whatever goes wrong, a person is told what he may try.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ServiceRefusal } from "@holdfast/contract";
import { CliError, explain } from "./errors.ts";

const CODES = new URL("../../../docs/reference/errors.md", import.meta.url);
/** What commands never ask for, or what is told on the spot what to do about (access/explained-transport.ts). */
const ELSEWHERE = {
  "Control plane and store":
    /^(STORE_(?!UNREACHABLE)|BLOB_|REQUEST_(MEDIA|TIME|HEADERS)|METHOD_|ACCESS_(UNKNOWN|DENIED)$|NAMESPACE_INVALID|NAME_INVALID|IDEMPOTENCY_|FILE_NOT_LOADED|KEEP_NOT_FOUND|COPY_)/,
  Keep: /^(BOOT_|REQUEST_T|ROUTE_|METHOD_|UPLOAD_|FILE_RANGE|INPUT_(SOURCE|MISMATCH|KEY)|RUN_NOT_ENDED)/,
  "Channel to a keep": /^(KEY_|SEAL_|TLS_)/,
};

for (const [part, elsewhere] of Object.entries(ELSEWHERE)) {
  test(`every refusal comes with something to try: ${part}`, () => {
    const [, section = ""] = readFileSync(CODES, "utf8").split(`## ${part}\n`);
    const codes = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `([A-Z0-9_]+)`/gm)];
    const names = codes.map(([, code = ""]) => code).filter((code) => !elsewhere.test(code));
    assert.ok(names.length > 5);
    const problem = { type: "about:blank", title: "", status: 400, detail: "" };
    const mute = names.filter(
      (code) => explain(new ServiceRefusal("service", { ...problem, code })).try === undefined,
    );
    assert.deepEqual(mute, []);
  });
}

test("a hint of who noticed it goes before that of its code", () => {
  assert.equal(explain(new CliError("CLI_INPUT", "text", { hint: "this" })).try, "this");
  assert.match(explain(new CliError("CLI_INPUT", "text")).try ?? "", /--help/);
});
