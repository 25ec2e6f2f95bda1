// Entry of the thread that admits one program. It is a file in development, and embedded text in a bundle.
import { parentPort } from "node:worker_threads";
import { WasiError } from "../errors.ts";
import { checkModule, compileChecked } from "../module/admit.ts";
import { contentBytes } from "../store/content.ts";
import type { Admission, AdmissionAnswer } from "./admission.ts";

// Whatever of Node's permissions the process itself still has is given up here.
for (const scope of ["net", "fs", "worker", "child"]) process.permission?.drop(scope);

parentPort?.once("message", async ({ content, limits }: Admission) => {
  parentPort?.postMessage(await answerTo(content, limits));
});
// What can't be read is never answered: the end of the thread is.
parentPort?.on("messageerror", () => process.exit());

async function answerTo(
  content: Admission["content"],
  limits: Admission["limits"],
): Promise<AdmissionAnswer> {
  try {
    const bytes = contentBytes(content);
    const checked = checkModule(bytes, limits);
    // The compiler makes a copy of its own: of a large module there are to be no more than it takes.
    bytes.buffer.transfer(0);
    return { admitted: await compileChecked(checked) };
  } catch (thrown) {
    if (!(thrown instanceof WasiError)) throw thrown;
    return { refused: { code: thrown.code, message: thrown.message } };
  }
}
