// Arguments, environment, clocks, randomness, the end of the process, and sockets, of which a guest has none.
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";

/** Signals whose default is to be ignored, and the last number there is (WASI Preview 1, signal). */
const IGNORED_SIGNALS: ReadonlySet<number> = new Set([0, 16, 17, 22, 27]);
const LAST_SIGNAL = 30;

/** The calls, for a guest. */
export function processCalls(guest: Guest) {
  const { clocks, descriptors } = guest;

  function sizes(texts: readonly Uint8Array[], count: number, bytes: number): number {
    const memory = guest.enter();
    if (!memory.fits(count >>> 0, 4) || !memory.fits(bytes >>> 0, 4)) return ERRNO.fault;
    memory.setU32(count >>> 0, texts.length);
    memory.setU32(
      bytes >>> 0,
      texts.reduce((sum, text) => sum + text.length, 0),
    );
    return ERRNO.success;
  }

  function copyTexts(texts: readonly Uint8Array[], pointers: number, buffer: number): number {
    const memory = guest.enter();
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    if (!memory.fits(pointers >>> 0, texts.length * 4)) return ERRNO.fault;
    if (!memory.fits(buffer >>> 0, length)) return ERRNO.fault;
    let at = buffer >>> 0;
    for (const [index, text] of texts.entries()) {
      memory.setU32((pointers >>> 0) + index * 4, at);
      memory.bytes.set(text, at);
      at += text.length;
    }
    return ERRNO.success;
  }

  function socket(fd: number): number {
    guest.enter();
    return descriptors.get(fd) === undefined ? ERRNO.badf : ERRNO.notsock;
  }

  return {
    args_get: (pointers: number, buffer: number): number =>
      copyTexts(guest.arguments, pointers, buffer),
    args_sizes_get: (count: number, bytes: number): number => sizes(guest.arguments, count, bytes),
    environ_get: (pointers: number, buffer: number): number =>
      copyTexts(guest.environment, pointers, buffer),
    environ_sizes_get: (count: number, bytes: number): number =>
      sizes(guest.environment, count, bytes),

    clock_res_get(id: number, result: number): number {
      const memory = guest.enter();
      if (clocks.off) return ERRNO.acces;
      if (!memory.fits(result >>> 0, 8)) return ERRNO.fault;
      const resolution = clocks.resolution(id);
      if (resolution < 0) return ERRNO.inval;
      memory.setU64(result >>> 0, resolution);
      return ERRNO.success;
    },

    clock_time_get(id: number, _precision: number, _precisionHigh: number, result: number): number {
      const memory = guest.enter();
      if (clocks.off) return ERRNO.acces;
      if (!memory.fits(result >>> 0, 8)) return ERRNO.fault;
      return clocks.write(id, memory, result >>> 0) ? ERRNO.success : ERRNO.inval;
    },

    random_get(buffer: number, length: number): number {
      const memory = guest.enter();
      if (!memory.fits(buffer >>> 0, length >>> 0)) return ERRNO.fault;
      guest.random.fill(memory.buffer, buffer >>> 0, length >>> 0);
      return ERRNO.success;
    },

    sched_yield(): number {
      guest.enter();
      return ERRNO.success;
    },

    proc_exit(code: number): void {
      guest.end({ state: "exited", exitCode: code >>> 0 });
    },

    proc_raise(signal: number): number {
      guest.enter();
      if (signal < 0 || signal > LAST_SIGNAL) return ERRNO.inval;
      if (IGNORED_SIGNALS.has(signal)) return ERRNO.success;
      return guest.end({ state: "trapped", message: `raised signal ${signal}` });
    },

    sock_accept: (fd: number, _flags: number, _result: number): number => socket(fd),
    sock_recv: (
      fd: number,
      _vectors: number,
      _count: number,
      _flags: number,
      _size: number,
      _result: number,
    ): number => socket(fd),
    sock_send: (
      fd: number,
      _vectors: number,
      _count: number,
      _flags: number,
      _size: number,
    ): number => socket(fd),
    sock_shutdown: (fd: number, _how: number): number => socket(fd),
  };
}
