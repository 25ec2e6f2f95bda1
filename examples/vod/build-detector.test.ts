// The build's own promises: the same bytes again, errors in the compiler's words, nothing but what is needed.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { asTree, readSources } from "./build-sources.ts";
import { compile, link, loadToolchain, ToolchainError } from "./build-toolchain.ts";

const STACK = 1024 * 1024;
const quiet = (): void => undefined;
const text = (source: string): Uint8Array => new TextEncoder().encode(source);

suite("detector build", async () => {
  await loadToolchain();

  test("compiles and links the same program to the same bytes", async () => {
    const files = asTree(
      new Map([
        ["src/a.c", text('#include "b.h"\nint main(void) { return answer(); }\n')],
        ["src/b.c", text('#include "b.h"\nint answer(void) { return 42; }\n')],
        ["src/b.h", text("int answer(void);\n")],
      ]),
    );
    const build = async (): Promise<Uint8Array> =>
      link(await compile(files, ["src/a.c", "src/b.c"], ["-O3"], quiet), STACK, quiet);
    const first = await build();
    assert.deepEqual(await build(), first);
    assert.ok(WebAssembly.validate(Uint8Array.from(first)));
  });

  test("compiles files one by one to the objects they get together", async () => {
    const files = asTree(
      new Map([
        ["a.c", text("int a(int x) { return x * 3; }\n")],
        ["b.c", text("int b(int x) { return x / 3; }\n")],
      ]),
    );
    const together = await compile(files, ["a.c", "b.c"], ["-O3"], quiet);
    assert.deepEqual(await compile(files, ["b.c"], ["-O3"], quiet), [together[1]]);
  });

  test("says what the compiler says", async () => {
    const files = asTree(new Map([["a.c", text("int a(void) { return nothing; }\n")]]));
    await assert.rejects(compile(files, ["a.c"], [], quiet), (error: unknown) => {
      assert.ok(error instanceof ToolchainError);
      assert.equal(error.code, "VOD_BUILD_FAILED");
      assert.match(error.message, /use of undeclared identifier 'nothing'/);
      return true;
    });
  });

  test("says which symbol is missing", async () => {
    const files = asTree(
      new Map([["a.c", text("int lost(void);\nint main(void) { return lost(); }\n")]]),
    );
    const objects = await compile(files, ["a.c"], [], quiet);
    await assert.rejects(link(objects, STACK, quiet), {
      code: "VOD_BUILD_FAILED",
      message: /undefined symbol: lost/,
    });
  });

  test("takes our files and the decoder's, in one order, without its test programs", () => {
    const names = readSources(import.meta.dirname).units.map((unit) => unit.name);
    assert.deepEqual(
      names,
      [...names].sort((a, b) => sideOf(a) - sideOf(b) || (a < b ? -1 : 1)),
    );
    assert.ok(names.includes("src/program/main.c"));
    assert.ok(names.includes("h264bsd/src/h264bsd_decoder.c"));
    assert.ok(!names.some((name) => /TestBench|Broadway|SwDecApi/.test(name)));
    const objects = names.map((name) => name.slice(name.lastIndexOf("/") + 1));
    assert.equal(new Set(objects).size, objects.length);
  });
});

function sideOf(name: string): number {
  return name.startsWith("src/") ? 0 : 1;
}
