// The guard: what a killed command started is ended, and nothing else.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inEmptyDirectory } from "../testing/run.ts";
import { startMark } from "./end-processes.ts";

const LINUX = process.platform === "linux" ? false : "processes are looked up in /proc";
const LIMIT_MS = 60_000;

suite("a guard", { skip: LINUX, timeout: 2 * LIMIT_MS }, () => {
  inEmptyDirectory();
  const commands: ChildProcess[] = [];
  after(() => {
    for (const each of commands) each.kill("SIGKILL");
  });

  /** A command that starts a guard and a service, and says the service's number. */
  async function startCommand(then: string): Promise<{ command: ChildProcess; service: number }> {
    const at = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { Guard } from ${at("guard.ts")};
      import { ChildService } from ${at("child-service.ts")};
      const guard = Guard.start({ remove: "stage" }, "guard.log");
      const script = "setInterval(() => {}, 1000); console.log('up')";
      const service = ChildService.start({ name: "s", arguments: ["-e", script], logFile: "log" });
      guard.watch(service);
      console.log(service.pid);
      ${then}`;
    mkdirSync("stage", { recursive: true });
    const command = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    commands.push(command);
    const [said] = (await once(command.stdout, "data")) as [Buffer];
    return { command, service: Number(said.toString("utf8")) };
  }

  test("ends the service of a command that was killed, and removes its directory", async () => {
    const { command, service } = await startCommand("setInterval(() => {}, 1000);");
    assert.notEqual(startMark(service), undefined);
    command.kill("SIGKILL");
    await until(() => startMark(service) === undefined);
    await until(() => !existsSync("stage"));
  });

  test("that is dismissed touches nothing", async () => {
    const { command, service } = await startCommand("await guard.dismiss(); process.exit(0);");
    await once(command, "exit");
    try {
      assert.notEqual(startMark(service), undefined);
      assert.ok(existsSync("stage"));
    } finally {
      process.kill(service, "SIGKILL");
    }
  });
});

async function until(holds: () => boolean): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!holds()) {
    assert.ok(performance.now() < limit, "it did not come about in time");
    await sleep(50);
  }
}
