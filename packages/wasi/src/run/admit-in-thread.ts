// Admits a program in a thread of its own: a large one takes seconds, in which whoever asked has others to answer. The
// thread ends with its one program, and everything that admission needed goes with it.
import { Worker } from "node:worker_threads";
import { WasiError } from "../errors.ts";
import { type AdmittedModule, demandModuleSize } from "../module/admit.ts";
import type { Admission, AdmissionAnswer } from "../worker/admission.ts";
import type { CreateWorker } from "./options.ts";
import { WORKER_OPTIONS } from "./runner.ts";

/** Source file of the thread, for development and for bundlers, which embed it as text. */
export const ADMISSION_ENTRY: URL = new URL("../worker/admission-entry.ts", import.meta.url);

/** An admission thread from the source file; a bundle passes its own with embedded text. */
export function createSourceAdmission(): Worker {
  return new Worker(ADMISSION_ENTRY, WORKER_OPTIONS);
}

/** How an admission is done. */
export interface ThreadedAdmission extends Admission {
  readonly createWorker: CreateWorker;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Parses, checks and compiles a program, as `admitModule` does.
 * @throws WasiError as `admitModule`, MODULE_TOO_LARGE also when its thread's memory does not suffice; RUN_NO_THREAD
 *   when the machine gives no thread or not enough memory, RUN_CLOSED when given up
 */
export async function admitInThread(admission: ThreadedAdmission): Promise<AdmittedModule> {
  const { content, limits, signal } = admission;
  if (signal.aborted) throw closed();
  // The thread copies it before it looks at it.
  demandModuleSize(content.size, limits);
  const thread = started(admission.createWorker);
  const giveUp = (): void => void thread.terminate();
  signal.addEventListener("abort", giveUp);
  try {
    const answer = await answerOf(thread, { content, limits }, signal);
    if ("admitted" in answer) return answer.admitted;
    throw new WasiError(answer.refused.code, answer.refused.message);
  } finally {
    signal.removeEventListener("abort", giveUp);
    giveUp();
  }
}

function started(createWorker: CreateWorker): Worker {
  try {
    return createWorker();
  } catch (cause) {
    throw noThread("the machine gives no thread for it", cause);
  }
}

/** Whatever becomes of the thread, it exits: everything that waits for it ends here at the latest. */
function answerOf(
  thread: Worker,
  admission: Admission,
  signal: AbortSignal,
): Promise<AdmissionAnswer> {
  return new Promise((resolve, reject) => {
    thread.once("message", (answer: AdmissionAnswer) => resolve(answer));
    thread.once("messageerror", (cause) => reject(noThread("the answer can't be read", cause)));
    thread.once("error", (cause: Error & { code?: string }) => reject(lossOf(cause)));
    thread.once("exit", () => reject(signal.aborted ? closed() : noThread("the thread is gone")));
    thread.postMessage(admission);
  });
}

function lossOf(cause: Error & { code?: string }): WasiError {
  if (cause.code !== "ERR_WORKER_OUT_OF_MEMORY") return noThread("the thread failed", cause);
  const why = "looking at it takes more memory than there is for that";
  return new WasiError("MODULE_TOO_LARGE", why, { cause });
}

function noThread(why: string, cause?: unknown): WasiError {
  return new WasiError("RUN_NO_THREAD", `the program can't be looked at: ${why}`, { cause });
}

function closed(): WasiError {
  return new WasiError("RUN_CLOSED", "nobody wants the program any more");
}
