// Traces of calls: name, arguments, result, one line each. Paths are shown as text, other pointers as numbers; no
// bytes that are read or written are shown.
import { errnoName } from "./errno.ts";
import type { Guest } from "./guest.ts";
import type { Imports } from "./imports.ts";
import { RECORD } from "./ring.ts";

/** Which arguments are a path: the pointer's place, its length being the next. */
const PATHS: Readonly<Record<string, readonly number[]>> = {
  path_create_directory: [1],
  path_filestat_get: [2],
  path_filestat_set_times: [2],
  path_link: [2, 5],
  path_open: [2],
  path_readlink: [1],
  path_remove_directory: [1],
  path_rename: [1, 4],
  path_symlink: [0, 3],
  path_unlink_file: [1],
};
const SHOWN_PATH = 256;

/** The same calls, each leaving a line. */
export function traced(guest: Guest, imports: Imports): Imports {
  const encoder = new TextEncoder();
  const leave = (line: string): void => {
    const bytes = encoder.encode(line);
    guest.ring.write(RECORD.trace, bytes, 0, bytes.length);
  };
  const wrap = (name: string, call: (...values: never[]) => unknown) => {
    return (...values: never[]): unknown => {
      const shown = `${name}(${show(guest, name, values)})`;
      // A call that ends the run has no result.
      if (name === "proc_exit") leave(shown);
      const result = call(...values);
      leave(typeof result === "number" ? `${shown} = ${errnoName(result)}` : shown);
      return result;
    };
  };
  return Object.fromEntries(
    Object.entries(imports).map(([from, calls]) => [
      from,
      Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, wrap(name, call)])),
    ]),
  );
}

function show(guest: Guest, name: string, values: readonly unknown[]): string {
  const paths = PATHS[name] ?? [];
  return values
    .flatMap((value, index) => {
      if (paths.includes(index - 1)) return [];
      return [
        paths.includes(index) ? showPath(guest, Number(value), values[index + 1]) : `${value}`,
      ];
    })
    .join(", ");
}

function showPath(guest: Guest, pointer: number, length: unknown): string {
  const [at, bytes] = [pointer >>> 0, Math.min(Number(length) >>> 0, SHOWN_PATH)];
  if (!guest.enter().fits(at, bytes)) return `outside memory ${at}`;
  return JSON.stringify(guest.memory.text(at, bytes) ?? "not UTF-8");
}
