// The bundle is the same bytes however often it is built, and holds nothing of the machine it was built on.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { buildKeepBundle, measureBytes } from "./build-keep.ts";

const ROOT = resolve(import.meta.dirname, "..");

test("two builds give the same bytes", async () => {
  const [first, second] = [await buildKeepBundle(), await buildKeepBundle()];
  assert.deepEqual(measureBytes(first), measureBytes(second));
  assert.equal(Buffer.compare(first, second), 0);
});

test("a copy of the source in another place gives the same bytes", async () => {
  const copy = mkdtempSync(join(tmpdir(), "holdfast-build-"));
  try {
    for (const part of ["apps", "packages", "tools", "package.json", "tsconfig.json"]) {
      cpSync(join(ROOT, part), join(copy, part), {
        recursive: true,
        filter: (source) => !source.endsWith("/node_modules") && !source.endsWith("/dist"),
      });
    }
    linkModules(copy);
    const out = join(copy, "keep.mjs");
    const built = spawnSync(process.execPath, ["tools/build-keep.ts", "--out", out], { cwd: copy });
    assert.equal(built.status, 0, built.stderr.toString());
    assert.equal(Buffer.compare(readFileSync(out), await buildKeepBundle()), 0);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

test("no path of the machine is in it, and nothing but Node's own modules is asked for", async () => {
  const text = new TextDecoder().decode(await buildKeepBundle());
  assert.ok(!text.includes(ROOT));
  const imports = [...text.matchAll(/^import .*? from "([^"]+)";$/gm)].map(([, name]) => name);
  assert.ok(imports.length > 0);
  assert.deepEqual(
    imports.filter((name) => !name?.startsWith("node:")),
    [],
  );
});

/** The copy's own packages, and the tools it builds with. */
function linkModules(copy: string): void {
  const modules = join(copy, "node_modules");
  cpSync(join(ROOT, "node_modules/@holdfast"), join(modules, "@holdfast"), {
    recursive: true,
    verbatimSymlinks: true,
  });
  for (const tool of ["esbuild", "@esbuild"]) {
    symlinkSync(join(ROOT, "node_modules", tool), join(modules, tool));
  }
}
