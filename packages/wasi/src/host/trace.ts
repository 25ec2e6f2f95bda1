// Traces of calls: name, arguments, result, one line each. Paths are shown as text, other pointers as numbers; no
// bytes that are read or written are shown.
import { PREVIEW1 } from "../module/interface.ts";
import { unsignedBig } from "./adapter.ts";
import { errnoName } from "./errno.ts";
import type { Guest } from "./guest.ts";
import type { WrapCall } from "./imports.ts";
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

/** Makes each call leave a line. */
export function traceCalls(guest: Guest): WrapCall {
  const encoder = new TextEncoder();
  const leave = (line: string): void => {
    const bytes = encoder.encode(line);
    guest.ring.write(RECORD.trace, bytes, 0, bytes.length);
  };
  return (name, call) =>
    (...values) => {
      const shown = `${name}(${show(guest, name, values)})`;
      // A call that ends the run has no result.
      if (name === "proc_exit") leave(shown);
      const result = call(...values);
      leave(typeof result === "number" ? `${shown} = ${errnoName(result)}` : shown);
      return result;
    };
}

/** Arguments by the function's type: wide ones are put together, pointer and length of a path become its text. */
function show(guest: Guest, name: string, values: readonly number[]): string {
  const [parameters = ""] = (PREVIEW1[name] ?? "i").split(":");
  const paths = PATHS[name] ?? [];
  const shown: string[] = [];
  let at = 0;
  for (const [index, letter] of [...parameters].entries()) {
    const [value = 0, next = 0] = values.slice(at);
    at += letter === "I" ? 2 : 1;
    if (paths.includes(index - 1)) continue;
    if (paths.includes(index)) shown.push(showPath(guest, value, next));
    else shown.push(letter === "I" ? `${BigInt.asIntN(64, unsignedBig(value, next))}` : `${value}`);
  }
  return shown.join(", ");
}

function showPath(guest: Guest, pointer: number, length: number): string {
  const [at, bytes] = [pointer >>> 0, Math.min(length >>> 0, SHOWN_PATH)];
  if (!guest.enter().fits(at, bytes)) return `outside memory ${at}`;
  return JSON.stringify(guest.memory.text(at, bytes) ?? "not UTF-8");
}
