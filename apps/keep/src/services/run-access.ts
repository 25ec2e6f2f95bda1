// Who may see and end a run: whoever started it, whoever may run its program, and, to see it, whoever may read a
// stream of the program. To others there is no such run.
import { mayExecute, mayRead, type PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";
import type { RunRecord } from "../state/run-record.ts";
import { demandRight } from "./gate.ts";

/** Names of a run's output streams. */
export type OutputName = "stdout" | "stderr";

/** Whether an identity may know of a run. */
export function maySee(caller: PolicyIdentity, run: RunRecord): boolean {
  return (
    mayControl(caller, run) ||
    mayRead(caller.rights, "stdout").allowed ||
    mayRead(caller.rights, "stderr").allowed
  );
}

/**
 * A run that the caller may know of.
 * @throws KeepError RUN_MISSING
 */
export function seenRun(keep: KeepState, caller: PolicyIdentity, id: string): RunRecord {
  const run = keep.runs.get(id);
  if (maySee(caller, run)) return run;
  throw new KeepError("RUN_MISSING", "there is no such run");
}

/**
 * Ends a run.
 * @throws KeepError RUN_MISSING, RIGHTS_MISSING
 */
export async function cancelRun(
  keep: KeepState,
  caller: PolicyIdentity,
  id: string,
): Promise<RunRecord> {
  const run = seenRun(keep, caller, id);
  if (!mayControl(caller, run)) demandRight(mayExecute(caller.rights, run.program), run.program);
  run.cancel();
  await run.ended;
  return run;
}

/**
 * Output of a run that the caller may read, from a point.
 * @throws KeepError RUN_MISSING, RIGHTS_MISSING, READ_LIMIT, FILE_MISSING
 */
export function readableOutput(
  keep: KeepState,
  caller: PolicyIdentity,
  request: { id: string; stream: OutputName; from: number },
): RunRecord {
  const run = seenRun(keep, caller, request.id);
  demandRight(mayRead(caller.rights, request.stream), request.stream);
  if (run[request.stream].dropped) {
    throw new KeepError("FILE_MISSING", "the output was let go to make room");
  }
  // Going on where the last answer stopped is the same read still.
  if (!run.continues(request.stream, caller.id, request.from)) {
    keep.reads.take(request.stream, caller);
  }
  return run;
}

function mayControl(caller: PolicyIdentity, run: RunRecord): boolean {
  return caller.id === run.starter || mayExecute(caller.rights, run.program).allowed;
}
