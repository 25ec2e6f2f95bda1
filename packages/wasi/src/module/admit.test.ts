// Admission: what passes, and each fault that does not.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { WasiError } from "../errors.ts";
import { admit, assemble, program } from "../testing/modules.ts";
import { admitModule } from "./admit.ts";
import { encodeU32 } from "./reader.ts";

const MEMORY = `(memory (export "memory") 1)`;
const START = `(func (export "_start"))`;

function refuses(name: string, code: string, text: string, maxMemoryMib = 16): void {
  it(name, async () => {
    await assert.rejects(admit(text, maxMemoryMib), { code });
  });
}

/** A module from sections, each an id and its content, for what the assembler does not write. */
function sections(...list: readonly (readonly [number, ...number[]])[]): Uint8Array {
  const bytes = list.flatMap(([id, ...content]) => [id, content.length, ...content]);
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...bytes]);
}

const TYPE_EMPTY = [1, 1, 0x60, 0, 0] as const;
const ONE_FUNCTION = [3, 1, 0] as const;
const EXPORT_START = [0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0] as const;
const EXPORT_MEMORY = [0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0] as const;
const EXPORTS = [7, 2, ...EXPORT_START, ...EXPORT_MEMORY] as const;
const CODE = [10, 1, 2, 0, 0x0b] as const;

describe("what is admitted", () => {
  it("has its digest, size, imports and memory told", async () => {
    const bytes = await assemble(program(""));
    const admitted = await admitModule(bytes, { maxMemoryMib: 2 });
    assert.equal(admitted.sha256, createHash("sha256").update(bytes).digest("hex"));
    assert.equal(admitted.size, bytes.length);
    assert.deepEqual(admitted.memory, { initialPages: 1, maximumPages: 32, imported: false });
    assert.deepEqual(admitted.imports, [
      "wasi_snapshot_preview1.fd_write",
      "wasi_snapshot_preview1.proc_exit",
    ]);
  });

  it("can't grow its memory past the maximum, and keeps a smaller one of its own", async () => {
    const text = (own: string): string => `(module (memory (export "memory") 1 ${own})
      (func (export "_start")) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`;
    for (const [own, mib, pages] of [
      ["", 1, 16],
      ["65536", 1, 16],
      ["3", 1, 3],
    ] as const) {
      const { compiled } = await admit(text(own), mib);
      const instance = new WebAssembly.Instance(compiled);
      const grow = instance.exports["grow"] as (count: number) => number;
      assert.equal(grow(pages - 1), 1);
      assert.equal(grow(1), -1);
    }
  });

  it("may take its memory from the host", async () => {
    const admitted = await admit(`(module (import "env" "memory" (memory 2)) ${START})`, 1);
    assert.deepEqual(admitted.memory, { initialPages: 2, maximumPages: 16, imported: true });
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 16 });
    assert.ok(new WebAssembly.Instance(admitted.compiled, { env: { memory } }));
  });

  it("has bounded tables", async () => {
    const { compiled } = await admit(
      `(module ${MEMORY} ${START} (table $t 1 funcref)
        (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))`,
    );
    const grow = new WebAssembly.Instance(compiled).exports["grow"] as (count: number) => number;
    assert.equal(grow(2_000_000), -1);
    assert.equal(grow(10), 1);
  });
});

describe("what is refused", () => {
  refuses(
    "an import that is not offered",
    "MODULE_IMPORT",
    `(module (import "env" "system" (func)) ${MEMORY} ${START})`,
  );
  refuses(
    "a function of another name",
    "MODULE_IMPORT",
    `(module (import "wasi_snapshot_preview1" "fd_dup" (func)) ${MEMORY} ${START})`,
  );
  refuses(
    "a name of Object.prototype",
    "MODULE_IMPORT",
    `(module (import "wasi_snapshot_preview1" "constructor" (func)) ${MEMORY} ${START})`,
  );
  refuses(
    "a function with another type",
    "MODULE_IMPORT",
    `(module (import "wasi_snapshot_preview1" "fd_write" (func (param f64) (result i32))) ${MEMORY} ${START})`,
  );
  refuses(
    "sock_accept of the older generation",
    "MODULE_IMPORT",
    `(module (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32))) ${MEMORY} ${START})`,
  );
  refuses(
    "an imported global",
    "MODULE_IMPORT",
    `(module (import "env" "g" (global i32)) ${MEMORY} ${START})`,
  );
  refuses(
    "an imported table",
    "MODULE_IMPORT",
    `(module (import "env" "t" (table 1 funcref)) ${MEMORY} ${START})`,
  );
  refuses("no memory", "MODULE_MEMORY", `(module ${START})`);
  refuses("a memory that is not exported", "MODULE_MEMORY", `(module (memory 1) ${START})`);
  refuses(
    "more memory at the start than is allowed",
    "MODULE_MEMORY",
    `(module (memory (export "memory") 17) ${START})`,
    1,
  );
  refuses(
    "shared memory",
    "MODULE_FEATURE",
    `(module (memory (export "memory") 1 2 shared) ${START})`,
  );
  refuses("no entry function", "MODULE_ENTRY", `(module ${MEMORY})`);
  refuses(
    "an entry that is no function",
    "MODULE_ENTRY",
    `(module ${MEMORY} (global (export "_start") i32 (i32.const 0)))`,
  );
  refuses(
    "an entry with parameters",
    "MODULE_ENTRY",
    `(module ${MEMORY} (func (export "_start") (param f32)))`,
  );
  refuses(
    "a table that starts large",
    "MODULE_FEATURE",
    `(module ${MEMORY} ${START} (table 2000000 funcref))`,
  );
  refuses(
    "many tables",
    "MODULE_FEATURE",
    `(module ${MEMORY} ${START} ${"(table 1 funcref)".repeat(9)})`,
  );

  refuses(
    "a table of ten million",
    "MODULE_FEATURE",
    `(module ${MEMORY} ${START} (table 10000000 funcref))`,
  );
  refuses(
    "functions that no host has, whatever JavaScript objects have",
    "MODULE_IMPORT",
    `(module (import "wasi_snapshot_preview1" "constructor" (func)) ${MEMORY} ${START})`,
  );
  refuses(
    "modules that no host has, whatever JavaScript objects have",
    "MODULE_IMPORT",
    `(module (import "__proto__" "toString" (func)) ${MEMORY} ${START})`,
  );
  refuses(
    "an entry that is an import",
    "MODULE_ENTRY",
    `(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) ${MEMORY}
      (export "_start" (func $y)))`,
  );

  const crafted: readonly [string, string, Uint8Array][] = [
    [
      "ten thousand and one sections",
      "MODULE_TOO_LARGE",
      sections(...Array.from({ length: 10_001 }, (): [number, number] => [0, 0])),
    ],
    [
      "ten million types",
      "MODULE_MALFORMED",
      Buffer.concat([
        sections(),
        Uint8Array.from([1, 0x84, 0xad, 0xe2, 0x04, 0x80, 0xad, 0xe2, 0x04]),
        new Uint8Array(10_000_000),
      ]),
    ],
    [
      "several memories",
      "MODULE_MEMORY",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 2, 0, 1, 0, 1], EXPORTS, CODE),
    ],
    [
      "a memory of 64 bits",
      "MODULE_FEATURE",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 4, 1], EXPORTS, CODE),
    ],
    [
      "a memory with pages of its own size",
      "MODULE_FEATURE",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 8, 1, 0], EXPORTS, CODE),
    ],
    [
      "garbage-collected types",
      "MODULE_FEATURE",
      sections([1, 1, 0x5f, 0], ONE_FUNCTION, [5, 1, 0, 1], EXPORTS, CODE),
    ],
    [
      "a section that stands twice",
      "MODULE_MALFORMED",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 0, 1], [5, 1, 0, 1], EXPORTS, CODE),
    ],
    [
      "a section with more than it says",
      "MODULE_MALFORMED",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 0, 1, 9], EXPORTS, CODE),
    ],
    [
      "a section that ends early",
      "MODULE_MALFORMED",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1]).subarray(0, -1),
    ],
    [
      "a count that promises too much",
      "MODULE_MALFORMED",
      sections([1, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    ],
    [
      "a number that is too long",
      "MODULE_MALFORMED",
      sections([1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
    ],
    [
      "code that does not validate",
      "MODULE_MALFORMED",
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 0, 1], EXPORTS, [10, 1, 3, 0, 0x6a, 0x0b]),
    ],
    ["a component", "MODULE_FEATURE", Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])],
    ["an empty file", "MODULE_MALFORMED", new Uint8Array()],
    ["text", "MODULE_MALFORMED", Buffer.from("#!/bin/sh\nexit 1\n")],
  ];
  for (const [name, code, bytes] of crafted) {
    it(name, async () => {
      await assert.rejects(admitModule(bytes, { maxMemoryMib: 16 }), { code });
    });
  }

  it("what the crafted modules are made of is sound by itself", async () => {
    const sound = sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 0, 1], EXPORTS, CODE);
    assert.equal((await admitModule(sound, { maxMemoryMib: 16 })).memory.initialPages, 1);
  });

  it("a function larger than V8 compiles, before it is rewritten", async () => {
    const body = Buffer.alloc(7_654_322, 0x01).fill(0, 0, 1);
    const length = encodeU32(body.length);
    const code = Buffer.concat([Uint8Array.from([1, ...length]), body]);
    const bytes = Buffer.concat([
      sections(TYPE_EMPTY, ONE_FUNCTION, [5, 1, 0, 1], EXPORTS),
      Uint8Array.from([10, ...encodeU32(code.length)]),
      code,
    ]);
    await assert.rejects(admitModule(bytes, { maxMemoryMib: 16 }), {
      code: "MODULE_MALFORMED",
      message: /a function has more than 7654321 bytes/,
    });
  });

  it("a module that is too large", async () => {
    const bytes = await assemble(program(""));
    const limits = { maxMemoryMib: 16, maxModuleBytes: bytes.length - 1 };
    await assert.rejects(admitModule(bytes, limits), { code: "MODULE_TOO_LARGE" });
  });
});

it("random bytes, and modules with bytes changed, are admitted or refused with a code, nothing else", async () => {
  const sound = await assemble(program("(call $say)"));
  const changed = fc
    .array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((edits) => {
      const bytes = sound.slice();
      for (const [at, value] of edits) bytes[at] = value;
      return bytes;
    });
  const prefixed = fc.uint8Array({ maxLength: 200 }).map((tail) => {
    return Uint8Array.from([...sound.subarray(0, 8), ...tail]);
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(changed, prefixed, fc.uint8Array({ maxLength: 100 })),
      async (bytes) => {
        try {
          await admitModule(bytes, { maxMemoryMib: 16 });
        } catch (thrown) {
          assert.ok(
            thrown instanceof WasiError && thrown.code.startsWith("MODULE_"),
            String(thrown),
          );
        }
      },
    ),
    { numRuns: 1500 },
  );
});
