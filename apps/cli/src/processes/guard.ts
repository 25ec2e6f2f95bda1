// Somebody who ends what was started even when the command itself is killed: a process that holds one end of a pipe.
// When the pipe ends without a farewell, the command is gone, and the guard ends services and keeps in its place.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { ENTRY } from "./checkout.ts";
import type { ChildService } from "./child-service.ts";

/** What the guard does once it is alone, besides ending the services it watches. */
export interface GuardOrders {
  /** Ends every keep whose state is kept below. */
  readonly keepsUnder?: string;
  /** Removes a directory. */
  readonly remove?: string;
}

const LEAVE_MS = 5000;

/** The command's end of the pipe. */
export class Guard {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts a guard. */
  static start(orders: GuardOrders, logFile: string): Guard {
    const log = openSync(logFile, "a", 0o600);
    try {
      const child = spawn(process.execPath, [ENTRY.guard, JSON.stringify(orders)], {
        detached: true,
        stdio: ["pipe", log, log],
        env: {},
      });
      // A guard that is gone guards nothing, and stops nobody either.
      child.on("error", () => undefined);
      child.stdin?.on("error", () => undefined);
      child.unref();
      (child.stdin as unknown as Partial<Pick<ChildProcess, "unref">> | null)?.unref?.();
      return new Guard(child);
    } finally {
      closeSync(log);
    }
  }

  /** Has a service ended when the command is gone. */
  watch(service: ChildService): void {
    const { pid } = service;
    if (pid === undefined) return;
    this.#say(`watch ${pid}`);
    void service.ended.then(() => this.#say(`forget ${pid}`));
  }

  /** Sends the guard away: the command has ended everything itself. */
  async dismiss(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#child.ref();
    const left = once(this.#child, "exit");
    this.#child.stdin?.end("done\n");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), LEAVE_MS);
    await left;
    clearTimeout(timer);
  }

  #say(line: string): void {
    if (this.#child.stdin?.writable === true) this.#child.stdin.write(`${line}\n`);
  }
}

/** What a guard has heard. */
export interface Heard {
  readonly watched: ReadonlySet<number>;
  /** The command said farewell. */
  readonly dismissed: boolean;
}

/** Listens until the pipe ends. */
export async function listen(input: Readable, onWatch: (pid: number) => void): Promise<Heard> {
  const watched = new Set<number>();
  let dismissed = false;
  let rest = "";
  for await (const part of input.setEncoding("utf8")) {
    const lines = `${rest}${part}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [word, number] = line.split(" ");
      const pid = Number(number);
      if (word === "done") dismissed = true;
      if (word === "forget") watched.delete(pid);
      if (word === "watch" && Number.isSafeInteger(pid) && pid > 1) {
        watched.add(pid);
        onWatch(pid);
      }
    }
  }
  return { watched, dismissed };
}
