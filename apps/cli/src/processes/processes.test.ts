import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { suite, test } from "node:test";
import type { CliError } from "../errors.ts";
import { inEmptyDirectory } from "../testing/run.ts";
import { ChildService } from "./child-service.ts";
import { endLeftoverKeeps, keepsUnder, loadersUnder } from "./leftover-keeps.ts";
import { freePortRange, requireFree } from "./ports.ts";

const GO_ON = new AbortController().signal;

suite("a service's process", () => {
  inEmptyDirectory();

  function start(script: string, input?: string): ChildService {
    return ChildService.start({
      name: "service",
      arguments: ["-e", script],
      logFile: "log",
      ...(input === undefined ? {} : { input }),
    });
  }

  test("is waited for until it answers, then ended", async () => {
    const port = await freePortRange(1);
    const service = start(
      `require("http").createServer((q, a) => { a.end(); }).listen(${port}, "127.0.0.1")`,
    );
    await service.waitAnswering(`http://127.0.0.1:${port}`, GO_ON);
    await service.stop();
    assert.equal(service.isRunning, false);
    assert.equal((await service.ended).signal, "SIGTERM");
  });

  test("that ends before it is ready is told with its last words", async () => {
    const service = start(`console.error("Error: no such door"); process.exit(3)`);
    await assert.rejects(service.waitAnswering("http://127.0.0.1:1", GO_ON), (error: Error) => {
      assert.match(error.message, /service ended before it was ready/);
      assert.match(String((error.cause as Error).message), /no such door/);
      return true;
    });
  });

  test("is told with words of its own, not with those of one before", async () => {
    writeFileSync("log", "Error: long ago\n");
    const record = JSON.stringify({ level: 30, msg: "error of somebody else" });
    const service = start(
      `console.log('${record}'); console.error("DATA_IN_USE: it is"); process.exit(1)`,
    );
    await assert.rejects(service.waitAnswering("http://127.0.0.1:1", GO_ON), (error: CliError) => {
      assert.equal((error.cause as Error).message, "DATA_IN_USE: it is");
      assert.match(error.hint ?? "", /--data-dir/);
      return true;
    });
  });

  test("is no longer waited for after an interruption", async () => {
    const service = start("setInterval(() => {}, 1000)");
    const waiting = service.waitAnswering("http://127.0.0.1:1", AbortSignal.abort());
    await assert.rejects(waiting, { code: "CLI_INTERRUPTED" });
    await service.kill();
    assert.equal((await service.ended).signal, "SIGKILL");
  });

  test("reads its secrets from standard input, not from arguments", async () => {
    const service = start(
      `process.stdin.on("data", (text) => console.log("heard", text.length))`,
      "secret",
    );
    await service.ended;
    assert.match(readFileSync("log", "utf8"), /heard 6/);
  });
});

suite("leftover keeps", () => {
  const directory = inEmptyDirectory();

  test("are ended by their state files, other processes left alone", async () => {
    writeFileSync("other.json", JSON.stringify({ loader_pid: process.pid, keep_pid: process.pid }));
    writeFileSync("broken.json", "{");
    writeFileSync("null.json", "null");
    writeFileSync("negative.json", JSON.stringify({ loader_pid: -1 }));
    assert.deepEqual(await loadersUnder(directory.path()), []);
    assert.deepEqual(await keepsUnder(directory.path()), []);
    assert.equal(await endLeftoverKeeps(directory.path()), 0);
  });
});

suite("ports", () => {
  test("that are free can be listened on in a row", async () => {
    const first = await freePortRange(4);
    await requireFree({ a: first, b: first + 3 });
  });

  test("that are taken are named", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as { port: number };
    await assert.rejects(requireFree({ web: port }), {
      code: "CLI_PROCESS",
      message: /for web, is taken/,
    });
    server.close();
  });
});
