// How long a keep is silent to others while a large program comes in, is admitted, and starts.
import type { RealKeep } from "../../apps/keep/src/testing/real-platform.ts";

/** Times in milliseconds. */
export interface AdmissionResult {
  /** From the first byte until the program runs. */
  readonly untilRunning: number;
  /** The longest that another client waited for the keep's status meanwhile. */
  readonly longestWait: number;
}

/** Path of the large program. */
export const LARGE_PROGRAM = "/program/large.wasm";

const FILLS_A_FUNCTION = 64;
const SECTION = { type: 1, function: 3, memory: 5, export: 7, code: 10 };

/** Puts a program of so many MiB in and starts it; another client asks for the keep's status all the while. */
export async function measureAdmission(keep: RealKeep, mib: number): Promise<AdmissionResult> {
  const program = largeModule(mib);
  const [owner, other] = await Promise.all([keep.client(), keep.client()]);
  let isOver = false;
  let longestWait = 0;
  const asking = (async () => {
    while (!isOver) {
      const asked = performance.now();
      await other.status();
      longestWait = Math.max(longestWait, performance.now() - asked);
    }
  })();
  const start = performance.now();
  await owner.putFile(LARGE_PROGRAM, program, { size: program.length });
  const { id } = await owner.startRun(LARGE_PROGRAM);
  const untilRunning = performance.now() - start;
  isOver = true;
  await asking;
  await owner.waitRun(id);
  return { untilRunning, longestWait };
}

/** A sound program of many functions, each full of what admission has to rewrite. */
function largeModule(mib: number): Uint8Array {
  // memory.fill of nothing
  const fill = [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0];
  const body = [0, ...Array(FILLS_A_FUNCTION).fill(fill).flat(), 0x0b];
  const sized = Uint8Array.from([...leb(body.length), ...body]);
  const count = Math.floor((mib * 1024 * 1024) / sized.length);
  const named = (text: string): number[] => [text.length, ...Buffer.from(text)];
  return Buffer.concat([
    Buffer.from("\0asm\x01\0\0\0", "latin1"),
    section(SECTION.type, [Uint8Array.of(1, 0x60, 0, 0)]),
    section(SECTION.function, [leb(count), new Uint8Array(count)]),
    section(SECTION.memory, [Uint8Array.of(1, 0, 1)]),
    section(SECTION.export, [
      Uint8Array.from([2, ...named("memory"), 2, 0, ...named("_start"), 0, 0]),
    ]),
    section(SECTION.code, [leb(count), ...Array<Uint8Array>(count).fill(sized)]),
  ]);
}

function section(id: number, content: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat(content);
  return Buffer.concat([Uint8Array.of(id), leb(whole.length), whole]);
}

/** An unsigned number as LEB128. */
function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
