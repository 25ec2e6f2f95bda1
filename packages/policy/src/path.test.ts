// One spelling for each path; what has none is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ancestors, normalizePath, PolicyError, withLeadingSlash } from "./index.ts";

const GOOD: readonly [string, string][] = [
  ["/", "/"],
  ["//", "/"],
  ["/input/", "/input"],
  ["//input", "/input"],
  ["/./input/.", "/input"],
  ["//program//x", "/program/x"],
  ["/program/./x", "/program/x"],
  ["/...", "/..."],
  ["/..a/b..", "/..a/b.."],
  ["/a b/ä/日本", "/a b/ä/日本"],
  ["stdin", "stdin"],
  ["stdout", "stdout"],
  ["stderr", "stderr"],
  ["/stdout", "/stdout"],
];
const BAD: readonly [string, string][] = [
  ["", "PATH_EMPTY"],
  ["program/x", "PATH_RELATIVE"],
  [".", "PATH_RELATIVE"],
  ["stdout/", "PATH_RELATIVE"],
  ["Stdout", "PATH_RELATIVE"],
  ["/..", "PATH_ESCAPE"],
  ["/s3_app_input/../program/detector.wasm", "PATH_ESCAPE"],
  ["/a/..", "PATH_ESCAPE"],
  ["/a\0b", "PATH_CHARACTER"],
  ["/a\nb", "PATH_CHARACTER"],
  ["/a\u007f", "PATH_CHARACTER"],
  ["/a\u0085", "PATH_CHARACTER"],
  ["/a\u2028b", "PATH_CHARACTER"],
  ["/a\u202egnp.exe", "PATH_CHARACTER"],
  ["/a\ud800", "PATH_CHARACTER"],
  [`/${"a".repeat(256)}`, "PATH_TOO_LONG"],
  [`/${"ä".repeat(128)}`, "PATH_TOO_LONG"],
  ["/a".repeat(65), "PATH_TOO_LONG"],
  [`${"/".repeat(1024)}a`, "PATH_TOO_LONG"],
  [`/${"a".repeat(250)}`.repeat(5), "PATH_TOO_LONG"],
];

test("paths have one spelling", () => {
  for (const [written, spelled] of GOOD) assert.equal(normalizePath(written), spelled, written);
});

test("paths that name nothing, or something else, are refused", () => {
  for (const [written, code] of BAD) {
    assert.throws(() => normalizePath(written), { code }, JSON.stringify(written));
  }
});

test("normalising is idempotent, and refuses with its own error only", () => {
  const piece = fc.constantFrom("/", ".", "..", "a", "ä", "\0", "stdout", "program", "\ud83d", "-");
  const written = fc.oneof(
    fc.array(piece).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(written, (text) => {
      let once: string;
      try {
        once = normalizePath(text);
      } catch (thrown) {
        assert.ok(thrown instanceof PolicyError, String(thrown));
        return;
      }
      assert.equal(normalizePath(once), once);
      assert.ok(!once.split("/").includes(".."));
      assert.ok(once === "/" || !once.endsWith("/"));
    }),
    { numRuns: 2000 },
  );
});

test("ancestors go from the path up to the root; a stream has none", () => {
  assert.deepEqual(ancestors("/a/b"), ["/a/b", "/a", "/"]);
  assert.deepEqual(ancestors("/"), ["/"]);
  assert.deepEqual(ancestors("stdout"), ["stdout"]);
});

test("a path as people type it gets its slash", () => {
  assert.equal(withLeadingSlash("program/x"), "/program/x");
  assert.equal(withLeadingSlash("/program/x"), "/program/x");
  assert.equal(withLeadingSlash("stdout"), "stdout");
});
