// Small programs in the text form of WebAssembly.
import wabt from "wabt";

/** Bytes of a module. */
export async function wat(source: string): Promise<Uint8Array> {
  const tools = await wabt();
  const module = tools.parseWat("test.wat", source);
  try {
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}

const WASI = `
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)`;

/** Writes a text to a descriptor (1 is stdout), so many times, and exits with a code. */
export function printing(
  text: string,
  options: { fd?: number; exit?: number; times?: number } = {},
): string {
  const { fd = 1, exit = 0, times = 1 } = options;
  return `(module ${WASI}
    (data (i32.const 0) "\\10\\00\\00\\00${byte(text.length)}\\00\\00\\00")
    (data (i32.const 16) "${[...text].map((character) => byte(character.charCodeAt(0))).join("")}")
    (func (export "_start") (local $i i32)
      (loop $more
        (drop (call $fd_write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const ${times}))))
      (call $proc_exit (i32.const ${exit}))))`;
}

/** Never ends. */
export const ENDLESS: string = `(module ${WASI} (func (export "_start") (loop $again (br $again))))`;

/** Traps in a function with a name. */
export const TRAPPING: string = `(module ${WASI}
  (func $deep_inside unreachable) (func (export "_start") (call $deep_inside)))`;

/** Calls itself until the stack is used up. */
export const RECURSING: string = `(module ${WASI}
  (func $again (param i32) (call $again (i32.add (local.get 0) (i32.const 1))) (drop (i32.const 0)))
  (func (export "_start") (call $again (i32.const 0))))`;

/** Takes memory until there is no more, then exits with 12. */
export const GREEDY: string = `(module ${WASI}
  (func (export "_start")
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (call $proc_exit (i32.const 12))))`;

/**
 * Copies a file of up to 60 000 bytes from the first directory it finds open to the second, and ends as told.
 * The exit code is the error number of whatever failed, plus 100.
 */
export function copying(
  from: string,
  to: string,
  end: string = "(call $proc_exit (i32.const 0))",
): string {
  return `(module ${WASI}
    (data (i32.const 64) "${from}")
    (data (i32.const 128) "${to}")
    (func $must (param i32)
      (if (local.get 0) (then (call $proc_exit (i32.add (local.get 0) (i32.const 100))))))
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 60000))
      (call $must (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const ${from.length})
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
      (call $must (call $fd_read (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 8)))
      (call $must (call $path_open (i32.const 4) (i32.const 0) (i32.const 128) (i32.const ${to.length})
        (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 36)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (call $must (call $fd_write (i32.load (i32.const 36)) (i32.const 0) (i32.const 1) (i32.const 8)))
      ${end}))`;
}

function byte(value: number): string {
  return `\\${value.toString(16).padStart(2, "0")}`;
}
