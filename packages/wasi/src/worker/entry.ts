// Entry of the worker thread: takes jobs one by one. It is a file in development, and embedded text in a bundle.
import { parentPort } from "node:worker_threads";
import { type Job, READY } from "./job.ts";
import { runJob } from "./run-job.ts";

parentPort?.postMessage(READY);
parentPort?.on("message", (job: Job) => {
  const end = runJob(job);
  parentPort?.postMessage(end);
});
