// Starts a program: on the files as they are now, with the program's own rights, within the policy's terms.
import { randomBytes } from "node:crypto";
import { mayExecute, type PolicyIdentity, type PolicyProgram } from "@holdfast/policy";
import {
  type AdmittedModule,
  type Content,
  type Run,
  type RunLimits,
  type RunOptions,
  type Snapshot,
  WasiError,
} from "@holdfast/wasi";
import { KeepError, type KeepErrorCode } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";
import { MAXIMUM_AT_ONCE, outputBytesOf } from "../state/memory-budget.ts";
import { RunRecord } from "../state/run-record.ts";
import { abandonRun, endRun } from "./end-run.ts";
import { demandConsent, demandRight, edgePath } from "./gate.ts";

const MAXIMUM_TRIES = 4;

/**
 * Starts a program of the policy.
 * @throws KeepError RIGHTS_MISSING, PROGRAM_UNKNOWN, FILE_MISSING, PROGRAM_INVALID, FILE_PIN_MISMATCH, INPUT_MISSING,
 *   RUN_LIMIT, RUN_BUSY, RUN_MEMORY, RUN_TOO_LARGE, and those of `demandConsent`
 */
export async function startRun(
  keep: KeepState,
  caller: PolicyIdentity,
  untrustedProgram: string,
): Promise<RunRecord> {
  demandConsent(keep);
  const path = edgePath(untrustedProgram);
  demandRight(mayExecute(caller.rights, path), path);
  const program = keep.policy.programs.find((each) => each.path === path);
  if (program === undefined) {
    throw new KeepError("PROGRAM_UNKNOWN", `${path} is no program of the policy`);
  }
  demandTerms(keep);
  const release = keep.runs.reserve();
  try {
    return await launch(keep, caller, program);
  } finally {
    release();
  }
}

async function launch(
  keep: KeepState,
  caller: PolicyIdentity,
  program: PolicyProgram,
): Promise<RunRecord> {
  const { path } = program;
  const { programSha256, module } = await readyProgram(keep, path);
  // The keep, or its policy, may have come to its end meanwhile, and files may have gone.
  demandConsent(keep);
  demandInputs(keep);
  // Not before: what is replaced or removed while a program is admitted would be held for it, and counted nowhere.
  const snapshot = keep.store.snapshot();
  const digests = new Map(keep.digests);
  const { stdin } = keep;
  const held = bytesIn(snapshot);
  const giveMemoryBack = keep.memory.take(module, held);
  const record = new RunRecord({
    id: randomBytes(8).toString("hex"),
    program: path,
    starter: caller.id,
    startedAt: keep.clock.now(),
  });
  const run = started(keep, giveMemoryBack, {
    module,
    snapshot,
    rights: program.rights,
    directories: program.directories,
    ...invocation(keep, program),
    clock: keep.policy.enableClock ? "system" : "off",
    random: "system",
    stdin,
    limits: limitsOf(keep, held),
    onOutput: (stream, bytes) => record[stream].append(bytes),
    keepPartialOutput: keep.policy.terms.keepPartialOutput,
  });
  record.onCancel(() => run.cancel());
  keep.runs.add(record);
  keep.log.info("run-started", { run: record.id });
  run.done
    .then((outcome) =>
      endRun(keep, { record, program, programSha256, snapshot, digests, stdin }, outcome),
    )
    .catch((thrown: unknown) => abandonRun(keep, record, thrown))
    .finally(giveMemoryBack);
  return record;
}

/** The program as it stands at its path, admitted. One that is replaced meanwhile makes way for the other. */
async function readyProgram(
  keep: KeepState,
  path: string,
): Promise<{ programSha256: string; module: AdmittedModule }> {
  for (let tries = 0; tries < MAXIMUM_TRIES; tries += 1) {
    const content = contentAt(keep, path);
    const programSha256 = keep.digests.get(path) ?? (await keep.hashing.digestOf(content));
    demandPin(keep, path, programSha256);
    const module = await admitted(keep, programSha256, content);
    if (contentAt(keep, path) === content) return { programSha256, module };
  }
  throw new KeepError("RUN_BUSY", `${path} is replaced again and again; try again later`);
}

/** Faults that are not the program's. */
const START_FAULTS: Readonly<Record<string, KeepErrorCode>> = {
  RUN_CLOSED: "KEEP_ENDING",
  RUN_NO_THREAD: "RUN_MEMORY",
};

function started({ runner }: KeepState, giveMemoryBack: () => void, options: RunOptions): Run {
  try {
    return runner.start(options);
  } catch (thrown) {
    giveMemoryBack();
    throw startFault(thrown) ?? thrown;
  }
}

function startFault(thrown: unknown): KeepError | undefined {
  const code = thrown instanceof WasiError ? START_FAULTS[thrown.code] : undefined;
  if (code === undefined) return undefined;
  const said = `the run can't start: ${(thrown as WasiError).message}`;
  return new KeepError(code, said, { cause: thrown });
}

function demandTerms(keep: KeepState): void {
  const { limits } = keep.policy.terms;
  demandInputs(keep);
  if (limits.runs !== undefined && keep.runs.started >= limits.runs) {
    throw new KeepError("RUN_LIMIT", `the policy lets programs run ${limits.runs} times`);
  }
  if (keep.runs.running >= MAXIMUM_AT_ONCE) {
    throw new KeepError("RUN_BUSY", `${MAXIMUM_AT_ONCE} programs are running; try again later`);
  }
}

function demandInputs(keep: KeepState): void {
  const { requiredInputs } = keep.policy.terms;
  const absent = requiredInputs.filter((path) => keep.store.stat(path)?.kind !== "file");
  const missing = [...new Set([...absent, ...keep.inputs.missing])];
  if (missing.length > 0) {
    throw new KeepError(
      "INPUT_MISSING",
      `the policy wants these before a run: ${missing.join(", ")}`,
    );
  }
}

function contentAt({ store }: KeepState, path: string): Content {
  if (store.stat(path)?.kind === "file") return store.content(path);
  throw new KeepError("FILE_MISSING", `program ${path} was not put in yet`);
}

/** Uploads are held to the pin already; programs may have written there since. */
function demandPin(keep: KeepState, path: string, sha256: string): void {
  const pin = keep.policy.fileHashes.get(path);
  if (pin === undefined || pin === sha256) return;
  throw new KeepError("FILE_PIN_MISMATCH", `the policy pins ${path} to another content`);
}

async function admitted(
  keep: KeepState,
  sha256: string,
  content: Content,
): Promise<AdmittedModule> {
  try {
    return await keep.programs.admit(sha256, content);
  } catch (thrown) {
    if (!(thrown instanceof WasiError)) throw thrown;
    const fault = startFault(thrown);
    if (fault !== undefined) throw fault;
    throw new KeepError("PROGRAM_INVALID", `${thrown.code}: ${thrown.message}`, { cause: thrown });
  }
}

function bytesIn({ nodes }: Snapshot): number {
  return nodes.reduce((sum, node) => sum + (node.kind === "file" ? node.content.size : 0), 0);
}

function limitsOf({ policy, store }: KeepState, held: number): RunLimits {
  const { wallTimeMs } = policy.terms.limits;
  return {
    storageBytes: Math.max(store.maximumBytes - Math.max(store.usedBytes, held), 0),
    outputBytes: outputBytesOf(policy),
    ...(wallTimeMs === undefined ? {} : { wallTimeMs }),
  };
}

/** Veracruz gives a program no arguments at all; the policy's terms may. */
function invocation(
  keep: KeepState,
  { path }: PolicyProgram,
): { arguments: readonly string[]; environment: Readonly<Record<string, string>> } {
  const terms = keep.policy.terms.programs.get(path);
  return {
    arguments: terms === undefined ? [] : [path, ...terms.arguments],
    environment: terms?.environment ?? {},
  };
}
