// A pipe with a name, opened for reading so that nobody who gives up is held: what a thread waits for in open or read
// can't be called off, and a process does not end before its threads.
import { closeSync, constants, openSync, open as openWith } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const open = promisify(openWith);
const RETRY_MS = 50;

/**
 * Waits until somebody opens the pipe for writing.
 * @param signal gives up waiting; what is returned then ends at once
 */
export async function openPipe(path: string, signal: AbortSignal): Promise<Readable> {
  let retries: NodeJS.Timeout | undefined;
  const giveUp = (): void => {
    meetReader(path);
    // The reader may not have come to wait yet.
    retries = setInterval(() => meetReader(path), RETRY_MS);
  };
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    // As a socket it is asked for what is there, where a file would have a thread wait for it.
    return new Socket({ fd: await open(path, "r"), readable: true, writable: false });
  } finally {
    signal.removeEventListener("abort", giveUp);
    clearInterval(retries);
  }
}

/** Opens the other end for a moment, which is what whoever waits at this end waits for. */
function meetReader(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Nobody waits.
  }
}
