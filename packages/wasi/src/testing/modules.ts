// Programs for tests, from WebAssembly text.
import wabt from "wabt";
import { type AdmittedModule, admitModule } from "../module/admit.ts";
import { encodeU32 } from "../module/reader.ts";

const toolkit = wabt();

/** Assembles WebAssembly text, with names for traps. */
export async function assemble(text: string): Promise<Uint8Array> {
  const module = (await toolkit).parseWat("test.wat", text, {
    mutable_globals: true,
    multi_value: true,
    bulk_memory: true,
    reference_types: true,
    simd: true,
    exceptions: true,
    threads: true,
  });
  try {
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}

/** Assembles and admits. */
export async function admit(text: string, maxMemoryMib = 16): Promise<AdmittedModule> {
  return admitModule(await assemble(text), { maxMemoryMib });
}

/** A program whose entry is made of bytes, its end included: for what text can't say, or the assembler can't hold. */
export function crafted(body: Uint8Array): Uint8Array {
  const sized = (bytes: Uint8Array): Uint8Array =>
    Buffer.concat([Uint8Array.from(encodeU32(bytes.length)), bytes]);
  const code = Buffer.concat([Uint8Array.of(1), sized(Buffer.concat([Uint8Array.of(0), body]))]);
  return Buffer.concat([
    Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
    Uint8Array.of(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1),
    Uint8Array.from([
      7,
      19,
      2,
      6,
      ...Buffer.from("memory"),
      2,
      0,
      6,
      ...Buffer.from("_start"),
      0,
      0,
    ]),
    Uint8Array.of(10),
    sized(code),
  ]);
}

/** A program whose body calls WASI; `memory` is exported and what `data` says stands in it. */
export function program(body: string, extra = ""): string {
  return `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00hello\\0a")
    (func $say (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))
    ${extra}
    (func (export "_start") ${body}))`;
}
