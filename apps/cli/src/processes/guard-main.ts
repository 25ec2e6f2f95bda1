// The guard as a process; see guard.ts. Usage: guard-main.ts ORDERS, as JSON; it is spoken to on standard input.
import { rm } from "node:fs/promises";
import { endProcesses, startMark } from "./end-processes.ts";
import { type GuardOrders, listen } from "./guard.ts";
import { endLeftoverKeeps } from "./leftover-keeps.ts";

const marks = new Map<number, string | undefined>();
const { watched, dismissed } = await listen(process.stdin, (pid) => marks.set(pid, startMark(pid)));
if (!dismissed) {
  const { keepsUnder, remove } = JSON.parse(process.argv[2] ?? "{}") as GuardOrders;
  console.error(`${new Date().toISOString()} the command is gone: ending what it left`);
  // A number whose process has ended may be somebody else's by now.
  await endProcesses([...watched].filter((pid) => startMark(pid) === marks.get(pid)));
  if (keepsUnder !== undefined) await endLeftoverKeeps(keepsUnder);
  if (remove !== undefined) await rm(remove, { recursive: true, force: true, maxRetries: 3 });
}
