// Entry of the worker thread: takes jobs one by one. It is a file in development, and embedded text in a bundle.
import { parentPort } from "node:worker_threads";
import { Collector } from "../store/collector.ts";
import { type Job, READY } from "./job.ts";
import { bytesHeld, runJob } from "./run-job.ts";

// Whatever of Node's permissions the process itself still has is given up here.
for (const scope of ["net", "fs", "worker", "child"]) process.permission?.drop(scope);

/** A worker has little else to collect, so that it costs a few milliseconds. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
const collector = new Collector(MOST_WAITING_BYTES);

parentPort?.postMessage(READY);
parentPort?.on("message", (job: Job) => {
  const end = runJob(job, collector);
  parentPort?.postMessage(end);
  const held = bytesHeld(job, end);
  // When nothing here refers to the job any more.
  setImmediate(() => collector.letGo(held));
});
// A job that can't be read is never answered: the end of the thread is.
parentPort?.on("messageerror", () => process.exit());
